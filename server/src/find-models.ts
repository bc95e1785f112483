import type { Models } from './compose.ts';
import type { Config } from './config.ts';
import type { Clock } from './platform/clock.ts';
import type { Egress } from './platform/egress/egress.ts';
import type { Log } from './platform/log.ts';
import { createAddon } from './services/pattern/model/addon/addon.ts';
import { askEnvironment } from './services/pattern/model/ask-environment.ts';
import { type EnvironmentProvider, readEnvironmentProviders } from './services/pattern/model/environment-providers.ts';
import { fetchLocalModel } from './services/pattern/model/local/fetch-local-model.ts';
import { createLocalModel, type LocalModel, type LocalModelState } from './services/pattern/model/local/local-model.ts';
import type { FetchProgress } from './services/pattern/model/local/model-source.ts';

export interface FoundModels extends Models {
  /** Looks for Ollama and asks servers of one's own what they have, for a second at most. */
  lookAround(): Promise<void>;
  /** Starts or fetches the local model when there is nothing else; resolves when it serves or cannot. */
  begin(onChange: (state: LocalModelState) => void): Promise<void>;
  /** Fetches the local model and what runs it, without starting it. Answers where the file is. Throws `no_model`. */
  pull(onProgress: (progress: FetchProgress) => void): Promise<string>;
  stop(): Promise<void>;
}

export interface FindOptions {
  readonly config: Config;
  readonly egress: Egress;
  /** A short path of our own, for the local model's socket. */
  readonly socketDirectory: string;
  readonly clock: Clock;
  readonly log: Log;
}

const ollamaStandard = '127.0.0.1:11434';

/** The operator's providers, Ollama on loopback, and the small model of this machine, in this order. */
export function findModels(options: FindOptions): FoundModels {
  const { config, egress, log } = options;
  const { models } = config;
  const providers: EnvironmentProvider[] = readEnvironmentProviders({
    ...(models.openai_api_key === undefined ? {} : { openaiApiKey: models.openai_api_key }),
    ...(models.openai_base_url === undefined ? {} : { openaiBaseUrl: models.openai_base_url }),
    ...(models.anthropic_api_key === undefined ? {} : { anthropicApiKey: models.anthropic_api_key }),
    ...(models.gemini_api_key === undefined ? {} : { geminiApiKey: models.gemini_api_key }),
    ...(models.azure_api_key === undefined ? {} : { azureApiKey: models.azure_api_key }),
    ...(models.azure_endpoint === undefined ? {} : { azureEndpoint: models.azure_endpoint }),
    ...(models.azure_api_version === undefined ? {} : { azureApiVersion: models.azure_api_version }),
    ...(models.mistral_api_key === undefined ? {} : { mistralApiKey: models.mistral_api_key }),
    ...(models.groq_api_key === undefined ? {} : { groqApiKey: models.groq_api_key }),
    ...(models.deepseek_api_key === undefined ? {} : { deepseekApiKey: models.deepseek_api_key }),
    ...(models.ollama_host === undefined ? {} : { ollamaHost: models.ollama_host }),
  });
  const [perhaps] = models.ollama_host === undefined ? readEnvironmentProviders({ ollamaHost: ollamaStandard }) : [];
  const inquiry = askEnvironment({ providers, ...(perhaps ? { perhaps } : {}), egress, clock: options.clock, log });
  const localModel: LocalModel | null = models.local
    ? createLocalModel({ ...ours(options), socketDirectory: options.socketDirectory })
    : null;

  const addon = createAddon({
    cacheDir: config.storage.cache_dir,
    socketDirectory: options.socketDirectory,
    nodePath: process.execPath,
    environment: config.environment,
    egress: egress.surface('provider'),
    clock: options.clock,
    log,
  });

  return {
    environmentProviders: () => providers,
    localModel,
    addon,
    async lookAround() {
      await inquiry.first(1_000);
    },
    async begin(onChange) {
      inquiry.begin();
      const elsewhere =
        models.default?.startsWith('local/') === false || providers.some((provider) => provider.defaultModel);
      if (!localModel || elsewhere) return;
      const watching = startWatch(localModel, options.clock, onChange);
      // Why it is not available shows in its state, which is being watched.
      await localModel.ensure().catch((error: unknown) => log.debug('The local model is not available', { error }));
      watching.stop();
    },
    async pull(onProgress) {
      const { model } = await fetchLocalModel({
        ...ours(options),
        platform: { os: process.platform, cpu: process.arch },
        onProgress,
      });
      return model.path;
    },
    async stop() {
      inquiry.stop();
      await Promise.all([localModel?.stop(), addon.stop()]);
    },
  };
}

function ours({ config, egress, clock, log }: Pick<FindOptions, 'config' | 'egress' | 'clock' | 'log'>) {
  const { models, storage } = config;
  return {
    cacheDir: storage.cache_dir,
    nodePath: process.execPath,
    environment: config.environment,
    source: {
      ...(models.path === undefined ? {} : { modelPath: models.path }),
      ...(models.url === undefined ? {} : { modelUrl: models.url }),
      ...(models.sha256 === undefined ? {} : { modelSha256: models.sha256 }),
    },
    clock,
    log,
    download: egress.download,
  };
}

function startWatch(model: LocalModel, clock: Clock, onChange: (state: LocalModelState) => void): { stop(): void } {
  let last = '';
  const look = () => {
    const state = model.state();
    const now = JSON.stringify(state);
    if (now !== last && (last !== '' || state.state !== 'ready')) onChange(state);
    last = now;
  };
  let timer = clock.after(200, function again() {
    look();
    timer = clock.after(200, again);
  });
  return {
    stop() {
      timer.cancel();
      look();
    },
  };
}
