import { readMessage, readMessageEvent } from './anthropic-answer.ts';
import { type AnthropicDialect, answersByTool, toMessagesBody } from './anthropic-request.ts';
import { createPort, type PortOptions } from './chat-port.ts';
import type { ModelPort } from './model-call.ts';

export interface AnthropicOptions extends PortOptions, AnthropicDialect {
  readonly provider: string;
  /** Path before `/messages`, such as `/v1`. */
  readonly basePath: string;
  readonly apiKey: string | null;
}

/** Anthropic's own protocol. */
export function createAnthropicMessages(options: AnthropicOptions): ModelPort {
  const { apiKey } = options;
  const path = `${options.basePath}/messages`;
  return createPort(options, {
    headers: {
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
      ...(apiKey === null ? {} : { 'x-api-key': apiKey }),
    },
    framing: 'events',
    endsWithConnection: false,
    essence: 'content',
    write: (request) => ({ path, body: toMessagesBody(request, options) }),
    readEvent: (document, answer, request) => readMessageEvent(document, answer, answersByTool(request)),
    readWhole: (document, answer, request) => readMessage(document, answer, answersByTool(request)),
  });
}
