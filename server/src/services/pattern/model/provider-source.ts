import type { ModelOffer, Provider, ProviderLimits, ProviderProtocol } from '@damask/contracts/model.ts';
import type { ModelFacts } from '../routing/model-facts.ts';
import type { ModelPort } from './model-call.ts';

/** Somebody who runs models, wherever it was entered. The object stays the same until something about it changes. */
export interface ProviderSource {
  readonly name: string;
  readonly origin: Provider['origin'];
  readonly protocol: ProviderProtocol;
  readonly models: readonly ModelOffer[];
  /** What it said itself that it has; null: it was not asked, or did not say. */
  readonly offered: readonly string[] | null;
  readonly limits: ProviderLimits;
  readonly fallbacks: readonly string[];
  /** What a run uses that names no model. */
  readonly defaultModel: string | null;
  readonly note: string | null;
  /** Why it cannot answer now, or null. */
  readonly unready: () => string | null;
  /** Null until it was opened, and when it must be opened again. */
  readonly port: () => ModelPort | null;
  /** Unseals its key, or starts it. Throws `no_model` when it is not ready. */
  open(): Promise<ModelPort>;
  facts(model: string): ModelFacts;
  /** Whether it runs this model, as far as anybody knows. */
  has(model: string): boolean;
}

/** Names in a list of models that no chat can be had with. */
const noChat = /embed|whisper|tts|transcribe|speech|audio|dall-e|image|moderation|rerank|ocr|realtime|sora|veo|imagen/i;

/** The models of a list that look as if one could talk to them. */
export function chatModels(offered: readonly string[]): string[] {
  return offered.filter((id) => !noChat.test(id));
}

/** Ollama lists `llama3.2:latest` and takes `llama3.2`. */
export function lists(offered: readonly string[], model: string): boolean {
  return offered.includes(model) || offered.includes(`${model}:latest`);
}
