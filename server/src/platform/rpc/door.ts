import type { Operations } from '@damask/contracts/operation.ts';
import { AppError } from '../app-error.ts';
import type { CallContext, Client, Implementation } from '../call.ts';
import { buildCheck, type CheckProblem } from '../schema-check.ts';

type AnyFunction = (context: CallContext, input: unknown) => Promise<unknown>;

export interface DoorOptions {
  /** Copy arguments and answers by JSON, as the wire would, so that shared objects cannot hide a fault. */
  readonly copy: boolean;
  /** Check what the service answers against its contract too; for tests, since it costs time. */
  readonly checkOutput: boolean;
}

/**
 * The one way into a service, whichever transport leads to it: the input is checked against the contract here.
 * Throws at start when an operation has no function.
 */
export function openDoor<Contract extends Operations>(
  operations: Contract,
  implementation: Implementation<Contract>,
  options: DoorOptions,
): Client<Contract> {
  const entries = Object.entries(operations).map(([name, operation]) => {
    const call = implementation[name] as AnyFunction | undefined;
    if (!call) throw new Error(`Operation ${name} has no function`);
    const check = buildCheck(operation.input);
    const checkOutput = options.checkOutput ? buildCheck(operation.output) : () => null;
    const guarded: AnyFunction = async (context, input) => {
      // Before the copy, which makes 0 of -0 and texts of times.
      const problem = check(input);
      if (problem) throw new AppError('invalid_request', toSentence(problem), { pointer: problem.pointer });
      const argument = options.copy ? JSON.parse(JSON.stringify(input)) : input;
      if (context.deadline <= Date.now()) throw deadlinePassed();
      const output = await call(context, argument);
      const wrong = checkOutput(output);
      if (wrong) throw new Error(`${name} answered against its contract at ${wrong.pointer}: ${wrong.detail}`);
      return options.copy && output !== undefined ? JSON.parse(JSON.stringify(output)) : output;
    };
    return [name, guarded] as const;
  });
  return Object.fromEntries(entries) as unknown as Client<Contract>;
}

/** `parameters.temperature must be at most 2.`: the pointer alone is small print for a person. */
function toSentence({ pointer, detail }: CheckProblem): string {
  const field = pointer.slice(1).replaceAll('/', '.');
  return `${field === '' ? 'The request' : field} ${detail}${detail.endsWith('.') ? '' : '.'}`;
}

export function deadlinePassed(): AppError {
  return new AppError('timeout', 'The time for this request is over. Allow more with timeout_ms, or send less.');
}
