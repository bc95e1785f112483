import type { Dispatcher } from 'undici';
import { Exchange, type ExchangeOptions } from './chat-exchange.ts';
import type { ModelPort, ModelRequest } from './model-call.ts';

export interface OpenAiChatOptions extends ExchangeOptions {
  /** A guarded connection pool to the provider's origin. */
  readonly pool: Pick<Dispatcher, 'dispatch'>;
  /** Path before `/chat/completions`, such as `/v1`. */
  readonly basePath: string;
  readonly apiKey: string | null;
  /** OpenAI's own newer models take only `max_completion_tokens`; others know only `max_tokens`. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
  /** Sent where nobody set one, so that no input can make a model write without end; null: the server has its own. */
  readonly defaultMaxTokens: number | null;
}

/** The chat protocol of OpenAI, which Ollama, llama-server, vLLM and many others speak too. */
export function createOpenAiChat(options: OpenAiChatOptions): ModelPort {
  const { pool, apiKey } = options;
  const path = `${options.basePath}/chat/completions`;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  return {
    call(request) {
      const exchange = new Exchange(options, request);
      try {
        pool.dispatch(
          {
            path,
            method: 'POST',
            headers,
            body: toBody(request, options),
            headersTimeout: 0,
            bodyTimeout: 0,
          },
          exchange,
        );
      } catch (error) {
        exchange.onResponseError(undefined, error as Error);
      }
      return exchange;
    },
  };
}

function toBody(
  { model, messages, parameters, stream }: ModelRequest,
  { maxTokensField, defaultMaxTokens }: OpenAiChatOptions,
): string {
  const { max_tokens = defaultMaxTokens, ...rest } = parameters;
  return JSON.stringify({
    model,
    messages,
    ...rest,
    ...(max_tokens === null ? {} : { [maxTokensField]: max_tokens }),
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  });
}
