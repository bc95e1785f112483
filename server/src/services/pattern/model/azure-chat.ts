import { createPort, type PortOptions } from './chat-port.ts';
import type { ModelPort } from './model-call.ts';
import { chatProtocol } from './openai-chat.ts';

export interface AzureChatOptions extends PortOptions {
  readonly provider: string;
  /** Path of the resource, without `/openai`; mostly empty. */
  readonly basePath: string;
  readonly apiKey: string | null;
  /** A dated version such as `2024-10-21` takes the path of deployments; null, `v1` and `preview` the newer one. */
  readonly apiVersion: string | null;
  readonly defaultMaxTokens: number | null;
}

/** OpenAI's models at Azure: a model is the name of a deployment. */
export function createAzureChat(options: AzureChatOptions): ModelPort {
  const { apiKey, apiVersion, basePath } = options;
  const headers = { 'content-type': 'application/json', ...(apiKey === null ? {} : { 'api-key': apiKey }) };
  const dated = apiVersion !== null && apiVersion !== 'v1' && apiVersion !== 'preview';
  const query = apiVersion === null || apiVersion === 'v1' ? '' : `?api-version=${encodeURIComponent(apiVersion)}`;
  const pathOf = (model: string) =>
    dated
      ? `${basePath}/openai/deployments/${encodeURIComponent(model)}/chat/completions${query}`
      : `${basePath}/openai/v1/chat/completions${query}`;
  return createPort(
    options,
    chatProtocol(headers, pathOf, {
      provider: options.provider,
      maxTokensField: 'max_completion_tokens',
      defaultMaxTokens: options.defaultMaxTokens,
    }),
  );
}
