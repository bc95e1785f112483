import { AppError } from '#platform/app-error.ts';
import { noLimits } from '../routing/gate.ts';
import { factsOf } from '../routing/model-facts.ts';
import type { LocalModel } from './local/local-model.ts';
import type { ModelPort } from './model-call.ts';
import { createOpenAiChat } from './openai-chat.ts';
import type { ProviderSource } from './provider-source.ts';
import { localProvider, type SourceOptions } from './source-options.ts';

/** The first load of the weights and a long prompt take their time on a laptop. */
const leastFirstByteMs = 180_000;

/** The model of this machine as a provider. */
export function createLocalSource(options: SourceOptions, local: LocalModel): ProviderSource {
  const pool = options.egress.pool('http://localhost', { trusted: true, socketPath: local.socketPath });
  const port: ModelPort = createOpenAiChat({
    ...options,
    provider: localProvider,
    pool,
    basePath: '/v1',
    apiKey: null,
    maxTokensField: 'max_tokens',
    defaultMaxTokens: null,
    forms: 'words',
    firstByteMs: Math.max(options.firstByteMs, leastFirstByteMs),
  });
  return {
    name: localProvider,
    origin: 'local',
    protocol: 'openai',
    models: [{ id: local.name }],
    offered: null,
    limits: noLimits,
    fallbacks: [],
    defaultModel: local.name,
    note: null,
    unready: () => describeLocal(local),
    port: () => (local.state().state === 'ready' ? port : null),
    async open() {
      await readyLocal(local);
      return port;
    },
    facts() {
      const context = local.contextSize();
      const offer = { id: local.name, input_price: 0, output_price: 0 };
      const facts = factsOf(context === null ? offer : { ...offer, context_window: context }, undefined, 'operator');
      // A text model without tools; of a schema it knows nothing, either.
      return { ...facts, capabilities: [] };
    },
    has: (model) => model === local.name,
  };
}

/** A model that is on disk is started and waited for; one that must be fetched first is not. */
async function readyLocal(local: LocalModel): Promise<void> {
  const { state } = local.state();
  if (state === 'ready') return;
  const ensured = local.ensure();
  if (state === 'starting') return ensured;
  // Fetching takes minutes; whoever asks again finds it further on.
  ensured.catch(() => undefined);
  throw noModel(describeLocal(local) ?? 'The local model is being started.', state === 'failed' ? undefined : 5);
}

function describeLocal(local: LocalModel): string | null {
  const now = local.state();
  switch (now.state) {
    case 'ready':
    case 'starting':
      return null;
    case 'fetching':
      return `The local model is being fetched${now.total ? ` (${Math.floor((100 * (now.received ?? 0)) / now.total)}%)` : ''}.`;
    case 'failed':
      return `The local model is not available: ${now.reason}`;
    default:
      return 'The local model has not been fetched.';
  }
}

export function noModel(why: string, retryAfterSeconds?: number): AppError {
  return new AppError(
    'no_model',
    `${why} Ways to get one: wait for it or run \`damask model pull\`; start with OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY; start Ollama; or set DAMASK_MODEL_PATH to a GGUF file.`,
    retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
  );
}
