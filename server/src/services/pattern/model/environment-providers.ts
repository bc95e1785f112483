import type { ModelOffer, ProviderProtocol } from '@damask/contracts/model.ts';

/** A provider that the operator gave by environment variables, for all workspaces. */
export interface EnvironmentProvider {
  readonly name: string;
  readonly protocol: ProviderProtocol;
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly apiVersion?: string | null;
  /** What a run uses that names no model. */
  readonly defaultModel: string | null;
  readonly models: readonly ModelOffer[];
  /** What it said itself that it has; null: it was not asked yet, or did not say. */
  readonly offered: readonly string[] | null;
  readonly note: string | null;
}

export interface ProviderSettings {
  readonly openaiApiKey?: string;
  readonly openaiBaseUrl?: string;
  readonly anthropicApiKey?: string;
  readonly geminiApiKey?: string;
  readonly azureApiKey?: string;
  readonly azureEndpoint?: string;
  readonly azureApiVersion?: string;
  readonly mistralApiKey?: string;
  readonly groqApiKey?: string;
  readonly deepseekApiKey?: string;
  /** `127.0.0.1:11434` or a URL, as Ollama's own tools take it. */
  readonly ollamaHost?: string;
}

const openAiUrl = 'https://api.openai.com/v1';
const unverified = "Written after the vendor's documentation; unverified.";

/** Providers in the order in which the default model is looked for. */
export function readEnvironmentProviders(settings: ProviderSettings): EnvironmentProvider[] {
  const providers: EnvironmentProvider[] = [];
  const add = (
    given: Pick<EnvironmentProvider, 'name' | 'protocol' | 'baseUrl' | 'apiKey'> & Partial<EnvironmentProvider>,
  ) => {
    const { defaultModel = null } = given;
    const models = defaultModel === null ? [] : [{ id: defaultModel }];
    providers.push({ models, offered: null, note: unverified, ...given, defaultModel });
  };
  const { openaiApiKey, openaiBaseUrl, anthropicApiKey, geminiApiKey, azureEndpoint, ollamaHost } = settings;
  if (openaiApiKey !== undefined || openaiBaseUrl !== undefined) {
    const baseUrl = trimSlash(openaiBaseUrl ?? openAiUrl);
    add({
      name: 'openai',
      protocol: 'openai',
      baseUrl,
      apiKey: openaiApiKey ?? null,
      defaultModel: 'gpt-5-mini',
      note: null,
    });
  }
  if (anthropicApiKey !== undefined) {
    const baseUrl = 'https://api.anthropic.com/v1';
    add({
      name: 'anthropic',
      protocol: 'anthropic',
      baseUrl,
      apiKey: anthropicApiKey,
      defaultModel: 'claude-haiku-4-5',
    });
  }
  if (geminiApiKey !== undefined) {
    const baseUrl = 'https://generativelanguage.googleapis.com/v1beta';
    add({ name: 'gemini', protocol: 'gemini', baseUrl, apiKey: geminiApiKey, defaultModel: 'gemini-2.5-flash' });
  }
  if (azureEndpoint !== undefined) {
    const { azureApiKey = null, azureApiVersion = null } = settings;
    const baseUrl = trimSlash(azureEndpoint);
    add({ name: 'azure', protocol: 'azure', baseUrl, apiKey: azureApiKey, apiVersion: azureApiVersion });
  }
  const compatible = [
    ['mistral', 'https://api.mistral.ai/v1', settings.mistralApiKey, 'mistral-small-latest'],
    ['groq', 'https://api.groq.com/openai/v1', settings.groqApiKey, 'openai/gpt-oss-20b'],
    ['deepseek', 'https://api.deepseek.com', settings.deepseekApiKey, 'deepseek-flash'],
  ] as const;
  for (const [name, baseUrl, apiKey, defaultModel] of compatible) {
    if (apiKey !== undefined) add({ name, protocol: 'openai', baseUrl, apiKey, defaultModel });
  }
  if (ollamaHost !== undefined) {
    add({ name: 'ollama', protocol: 'ollama', baseUrl: ollamaOrigin(ollamaHost), apiKey: null, note: null });
  }
  return providers;
}

export function ollamaOrigin(host: string): string {
  const url = new URL(/^https?:\/\//.test(host) ? host : `http://${host}`);
  if (url.port === '' && url.protocol === 'http:' && !/^https?:\/\//.test(host)) url.port = '11434';
  // Ollama's server takes 0.0.0.0 as its own address; a client cannot connect to that everywhere.
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  return url.origin;
}

const trimSlash = (url: string) => url.replace(/\/+$/, '');
