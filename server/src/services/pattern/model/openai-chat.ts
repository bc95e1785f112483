import { createPort, type PortOptions } from './chat-port.ts';
import type { Answer } from './model-answer.ts';
import type { ModelPort } from './model-call.ts';
import { readChatDocument } from './openai-answer.ts';
import { type ChatDialect, toChatBody } from './openai-request.ts';
import type { Protocol } from './protocol.ts';

export interface OpenAiChatOptions extends PortOptions, ChatDialect {
  readonly provider: string;
  /** Path before `/chat/completions`, such as `/v1`. */
  readonly basePath: string;
  readonly apiKey: string | null;
}

/** The chat protocol of OpenAI, which llama-server, vLLM and many others speak too. */
export function createOpenAiChat(options: OpenAiChatOptions): ModelPort {
  const { apiKey } = options;
  const path = `${options.basePath}/chat/completions`;
  const headers = {
    'content-type': 'application/json',
    ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  return createPort(
    options,
    chatProtocol(headers, () => path, options),
  );
}

/** The protocol at any address and with any way to log in. */
export function chatProtocol(
  headers: Readonly<Record<string, string>>,
  pathOf: (model: string) => string,
  dialect: ChatDialect,
): Protocol {
  return {
    headers,
    framing: 'events',
    endsWithConnection: false,
    essence: 'choices',
    write: (request) => ({ path: pathOf(request.model), body: toChatBody(request, dialect) }),
    readMark,
    readEvent: readChatDocument,
    readWhole(document, answer) {
      if (!readChatDocument(document, answer)) return false;
      return answer.reported !== undefined || ((document as { choices: unknown[] }).choices.length ?? 0) > 0;
    },
  };
}

function readMark(data: string, answer: Answer): boolean {
  if (data.charCodeAt(0) !== 91 || data.trim() !== '[DONE]') return false;
  answer.ended = true;
  return true;
}
