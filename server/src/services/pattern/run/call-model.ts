import type { ModelCall, ModelRequest } from '../model/model-call.ts';
import type { EngineParts, Execution } from './engine.ts';
import { callInForm, type FormedResult } from './structured-output.ts';

/** Characters of a system message from which on a vendor's cache is worth its mark. */
const cacheFrom = 4_000;

/** Begins the call of a run, with all that its pattern asks of the answer. */
export function callModel(
  { checks, clock }: EngineParts,
  { route, plan, timeoutMs }: Execution,
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
  if (output.type !== 'json') return route.port.call(request);
  const form = { type: 'json' as const, ...(output.schema ? { schema: output.schema } : {}) };
  return callInForm({ port: route.port, checks, clock }, { ...request, output: form });
}
