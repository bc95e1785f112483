import type { InputOf } from '@damask/contracts/operation.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import { AppError } from '#platform/app-error.ts';

type Request = InputOf<(typeof runOperations)['renderRun']>;

const ofOneCall = [
  'session',
  'strategy',
  'context',
  'language',
  'attachments',
  'model',
  'parameters',
  'tools',
  'tool_choice',
  'tool_turns',
] as const satisfies (keyof Request)[];

/** What is said to one model has no place in a chain: its steps have their own. Throws `invalid_request`. */
export function refuseForChain(request: Pick<Request, (typeof ofOneCall)[number]>): void {
  // A run that is run again brings empty parameters.
  const said = (name: (typeof ofOneCall)[number]) =>
    name !== 'parameters' || Object.keys(request[name] ?? {}).length > 0;
  const field = ofOneCall.find((name) => request[name] !== undefined && said(name));
  if (field === undefined) return;
  throw new AppError(
    'invalid_request',
    `This pattern is a chain, and ${field} belongs to its steps and their patterns. Leave it out.`,
    { pointer: `/${field}` },
  );
}
