import type { ModelOffer } from '@damask/contracts/model.ts';

/** A provider that the operator gave by environment variables, for all workspaces. */
export interface EnvironmentProvider {
  readonly name: string;
  readonly baseUrl: string;
  readonly apiKey: string | null;
  /** What a run uses that names no model. */
  readonly defaultModel: string | null;
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
  readonly models: readonly ModelOffer[];
  readonly note: string | null;
}

export interface ProviderSettings {
  readonly openaiApiKey?: string;
  readonly openaiBaseUrl?: string;
  readonly anthropicApiKey?: string;
  readonly geminiApiKey?: string;
  /** `127.0.0.1:11434` or a URL, as Ollama's own tools take it. */
  readonly ollamaHost?: string;
}

const openAiUrl = 'https://api.openai.com/v1';

/** Providers in the order in which the default model is looked for. */
export function readEnvironmentProviders(settings: ProviderSettings): EnvironmentProvider[] {
  const { openaiApiKey, openaiBaseUrl, anthropicApiKey, geminiApiKey, ollamaHost } = settings;
  const providers: EnvironmentProvider[] = [];
  const add = (
    name: string,
    baseUrl: string,
    apiKey: string | null,
    defaultModel: string | null,
    note: string | null,
  ) =>
    providers.push({
      name,
      baseUrl,
      apiKey,
      defaultModel,
      maxTokensField: baseUrl === openAiUrl ? 'max_completion_tokens' : 'max_tokens',
      models: defaultModel === null ? [] : [{ id: defaultModel }],
      note,
    });
  if (openaiApiKey !== undefined || openaiBaseUrl !== undefined) {
    add('openai', trimSlash(openaiBaseUrl ?? openAiUrl), openaiApiKey ?? null, 'gpt-5-mini', null);
  }
  if (anthropicApiKey !== undefined) {
    add('anthropic', 'https://api.anthropic.com/v1', anthropicApiKey, 'claude-haiku-4-5', unverified);
  }
  if (geminiApiKey !== undefined) {
    add(
      'gemini',
      'https://generativelanguage.googleapis.com/v1beta/openai',
      geminiApiKey,
      'gemini-2.5-flash',
      unverified,
    );
  }
  if (ollamaHost !== undefined) add('ollama', `${ollamaOrigin(ollamaHost)}/v1`, null, null, null);
  return providers;
}

const unverified = "Through the vendor's own OpenAI-compatible endpoint; unverified.";

export function ollamaOrigin(host: string): string {
  const url = new URL(/^https?:\/\//.test(host) ? host : `http://${host}`);
  if (url.port === '' && url.protocol === 'http:' && !/^https?:\/\//.test(host)) url.port = '11434';
  // Ollama's server takes 0.0.0.0 as its own address; a client cannot connect to that everywhere.
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  return url.origin;
}

const trimSlash = (url: string) => url.replace(/\/+$/, '');
