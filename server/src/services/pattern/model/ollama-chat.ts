import { createPort, type PortOptions } from './chat-port.ts';
import { type Answer, errorText, tokenCount } from './model-answer.ts';
import type { ModelPort } from './model-call.ts';
import { type OllamaDialect, toOllamaBody } from './ollama-request.ts';

export interface OllamaOptions extends PortOptions, OllamaDialect {
  readonly provider: string;
  /** Path before `/api/chat`; mostly empty. */
  readonly basePath: string;
  readonly apiKey: string | null;
}

/** Ollama's own protocol: lines of JSON, of which the last says `done`. */
export function createOllamaChat(options: OllamaOptions): ModelPort {
  const { apiKey } = options;
  const path = `${options.basePath}/api/chat`;
  return createPort(options, {
    headers: {
      'content-type': 'application/json',
      ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
    },
    framing: 'lines',
    endsWithConnection: false,
    essence: 'message',
    write: (request) => ({ path, body: toOllamaBody(request, options) }),
    readEvent: readChatLine,
    readWhole: (document, answer) => readChatLine(document, answer),
  });
}

interface Line {
  readonly message?: { readonly content?: unknown; readonly tool_calls?: unknown } | null;
  readonly done?: unknown;
  readonly done_reason?: unknown;
  readonly prompt_eval_count?: unknown;
  readonly eval_count?: unknown;
  readonly error?: unknown;
}

function readChatLine(document: object, answer: Answer): boolean {
  const { message, done, done_reason, prompt_eval_count, eval_count, error } = document as Line;
  if (error !== undefined && error !== null) {
    answer.fail('provider_error', errorText(error));
    return true;
  }
  if (message === undefined || message === null) return false;
  // What a model thinks comes in a field of its own and is not its answer.
  answer.text(message.content);
  if (Array.isArray(message.tool_calls)) for (const call of message.tool_calls) readToolCall(call, answer);
  if (done !== true) return true;
  const reason = typeof done_reason === 'string' && done_reason !== 'load' ? done_reason : 'stop';
  answer.stopReason = reason === 'stop' && answer.toolCount > 0 ? 'tool_calls' : reason;
  answer.usage = {
    input_tokens: tokenCount(prompt_eval_count),
    output_tokens: tokenCount(eval_count),
    cached_input_tokens: null,
    reasoning_tokens: null,
  };
  answer.ended = true;
  return true;
}

function readToolCall(call: unknown, answer: Answer): void {
  const { id, function: called } = (call ?? {}) as { id?: unknown; function?: { name?: unknown; arguments?: unknown } };
  const written = called?.arguments;
  answer.tool(undefined, id, called?.name, typeof written === 'string' ? written : JSON.stringify(written ?? {}));
}
