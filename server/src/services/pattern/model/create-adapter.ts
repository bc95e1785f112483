import type { ProviderProtocol } from '@damask/contracts/model.ts';
import { createAnthropicMessages } from './anthropic-messages.ts';
import { createAzureChat } from './azure-chat.ts';
import type { PortOptions } from './chat-port.ts';
import { createGeminiContent } from './gemini-content.ts';
import type { ModelPort } from './model-call.ts';
import { createOllamaChat } from './ollama-chat.ts';
import { createOpenAiChat } from './openai-chat.ts';

export interface AdapterOptions extends PortOptions {
  /** `openai` is the one that many others speak too. */
  readonly protocol: ProviderProtocol;
  /** Absolute, without a query. The version's part of the path may be left out where the vendor has one. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
  readonly defaultMaxTokens: number | null;
  /** Of Azure: a dated one takes the older path. */
  readonly apiVersion?: string | null;
  /** Of servers of the OpenAI protocol that refuse `response_format`. */
  readonly forms?: 'native' | 'object' | 'words';
}

/** Vendors that refuse a schema, all of them or with most of their models, and take the wish for some JSON. */
const withoutSchemas = new Set(['api.deepseek.com', 'api.groq.com']);

/** Tokens of context that a model on someone's own machine is asked to hold at most. */
const largestOllamaContext = 32_768;

/** The port to a provider in its own protocol. */
export function createAdapter(options: AdapterOptions): ModelPort {
  const url = new URL(options.baseUrl);
  const given = url.pathname.replace(/\/+$/, '');
  switch (options.protocol) {
    case 'anthropic':
      return createAnthropicMessages({ ...options, basePath: given || '/v1' });
    case 'gemini':
      return createGeminiContent({ ...options, basePath: given || '/v1beta' });
    case 'azure':
      // People copy the address with the part that we add.
      return createAzureChat({
        ...options,
        basePath: given.replace(/\/openai(\/v1)?$/, ''),
        apiVersion: options.apiVersion ?? null,
      });
    case 'ollama':
      return createOllamaChat({
        ...options,
        basePath: given.replace(/\/(v1|api)$/, ''),
        largestContext: largestOllamaContext,
      });
    default:
      return createOpenAiChat({
        ...options,
        basePath: given,
        documents: url.hostname === 'api.openai.com',
        forms: options.forms ?? (withoutSchemas.has(url.hostname) ? 'object' : 'native'),
      });
  }
}
