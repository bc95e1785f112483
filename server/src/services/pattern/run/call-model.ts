import type { Reservation } from '../budget/budgets.ts';
import type { ModelCall, ModelRequest } from '../model/model-call.ts';
import type { EngineParts, Execution } from './engine.ts';
import { callInForm, type FormedResult } from './structured-output.ts';

/** Characters of a system message from which on a vendor's cache is worth its mark. */
const cacheFrom = 4_000;

/** Begins the call of a run, with all that its pattern asks of the answer. */
export function callModel(
  { checks, clock }: Pick<EngineParts, 'checks' | 'clock'>,
  { route, plan, timeoutMs, reservation }: Pick<Execution, 'route' | 'plan' | 'timeoutMs' | 'reservation'>,
  stream: boolean,
  onText: ModelRequest['onText'],
): ModelCall & { readonly done: Promise<FormedResult> } {
  const { messages, parameters, tools, toolChoice, toolMessages } = plan;
  const { output } = plan.version;
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
  if (output.type !== 'json') return settled(route.port.call(request), reservation);
  const form = { type: 'json' as const, ...(output.schema ? { schema: output.schema } : {}) };
  return settled(callInForm({ port: route.port, checks, clock }, { ...request, output: form }), reservation);
}

type RunCall = ModelCall & { readonly done: Promise<FormedResult> };

/** Charges what the call took to the budgets that cover it. */
function settled(call: RunCall, reservation: Reservation | undefined): RunCall {
  if (reservation) {
    const done: Promise<FormedResult> = call.done;
    done.then(
      (result) => reservation.settle(result),
      () => reservation.settle(null),
    );
  }
  return call;
}
