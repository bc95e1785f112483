import type { Reservation } from '../budget/budgets.ts';
import { GuardedCall, type GuardedResult } from '../guard/guarded-call.ts';
import type { ModelCall, ModelRequest } from '../model/model-call.ts';
import type { EngineParts, Execution } from './engine.ts';
import { callInForm } from './structured-output.ts';

/** Characters of a system message from which on a vendor's cache is worth its mark. */
const cacheFrom = 4_000;

/** Begins the call of a run, with all that its pattern asks of the answer. */
export function callModel(
  { checks, clock, threads }: Pick<EngineParts, 'checks' | 'clock' | 'threads'>,
  { route, plan, timeoutMs, reservation }: Pick<Execution, 'route' | 'plan' | 'timeoutMs' | 'reservation'>,
  stream: boolean,
  onText: ModelRequest['onText'],
): RunCall {
  const { messages, parameters, tools, toolChoice, toolMessages } = plan;
  const { output, outputChecks } = plan.version;
  const request: ModelRequest = {
    model: route.model,
    messages: toolMessages.length === 0 ? messages : [...messages, ...toolMessages],
    parameters,
    stream,
    timeoutMs,
    onText,
    ...(tools.length > 0 ? { tools, ...(toolChoice === null ? {} : { tool_choice: toolChoice }) } : {}),
    ...(messages[0]?.role === 'system' && messages[0].content.length >= cacheFrom ? { cachePrompt: true } : {}),
  };
  const make = (asked: ModelRequest) => {
    if (output.type !== 'json') return route.port.call(asked);
    const form = { type: 'json' as const, ...(output.schema ? { schema: output.schema } : {}) };
    return callInForm({ port: route.port, checks, clock }, { ...asked, output: form });
  };
  return settled(outputChecks ? new GuardedCall(make, request, outputChecks, threads) : make(request), reservation);
}

type RunCall = ModelCall & { readonly done: Promise<GuardedResult> };

/** Charges what the call took to the budgets that cover it. */
function settled(call: RunCall, reservation: Reservation | undefined): RunCall {
  if (reservation) {
    const done: Promise<GuardedResult> = call.done;
    done.then(
      (result) => reservation.settle(result),
      () => reservation.settle(null),
    );
  }
  return call;
}
