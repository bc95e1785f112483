import type { Model, ModelOffer } from '@damask/contracts/model.ts';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { Egress } from '#platform/egress/egress.ts';
import type { Vault } from '#platform/vault.ts';
import type { EnvironmentProvider } from './environment-providers.ts';
import type { LocalModel } from './local/local-model.ts';
import type { ModelPort } from './model-call.ts';
import { createOpenAiChat } from './openai-chat.ts';
import type { ProviderTable } from './provider-table.ts';
import type { ProviderRow } from './store.ts';

/** Millionths of a US dollar for a million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

/** Where a run's call goes. */
export interface ModelRoute {
  /** `provider/model` */
  readonly name: string;
  readonly model: string;
  readonly port: ModelPort;
  readonly price: Price | null;
}

export interface ModelRouter {
  /** Throws `model_not_found` for an unknown provider, `no_model` when there is none at all or it is not ready. */
  route(workspace: string, name: string | null): Promise<ModelRoute>;
  /** What a run uses that names no model; null when there is none. */
  defaultName(workspace: string): string | null;
  list(workspace: string): Model[];
  /** Throws `model_not_found` when no provider offers it, whether or not it could answer now. */
  requireOffer(workspace: string, name: string): void;
}

export interface ModelRouterOptions {
  readonly environment: () => readonly EnvironmentProvider[];
  readonly providers: ProviderTable;
  readonly local: LocalModel | null;
  readonly egress: Egress;
  readonly vault: Vault;
  /** The operator's choice of the default. */
  readonly defaultModel: string | null;
  /** Tokens that an answer may have where neither pattern nor request says. */
  readonly defaultMaxTokens: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly redact: (text: string) => string;
  readonly clock: Clock;
}

export const localProvider = 'local';

export function createModelRouter(options: ModelRouterOptions): ModelRouter {
  const { providers, local, egress, vault } = options;
  const ports = new Map<string, ModelPort>();
  const ofRow = new WeakMap<ProviderRow, Promise<ModelPort>>();

  const environmentPort = (provider: EnvironmentProvider) => {
    const known = ports.get(provider.name);
    if (known) return known;
    const port = open(provider.name, provider.baseUrl, provider.apiKey, provider.maxTokensField, true);
    ports.set(provider.name, port);
    return port;
  };

  const workspacePort = (row: ProviderRow) => {
    const known = ofRow.get(row);
    if (known) return known;
    const port = openSealed(row);
    ofRow.set(row, port);
    port.catch(() => ofRow.delete(row));
    return port;
  };

  const openSealed = async (row: ProviderRow) => {
    const key =
      row.api_key && (await vault.open(row.workspace, providerKeyPlace(row.name), row.api_key)).toString('utf8');
    return open(row.name, row.base_url, key, 'max_tokens', false);
  };

  const open = (
    provider: string,
    baseUrl: string,
    apiKey: string | null,
    maxTokensField: EnvironmentProvider['maxTokensField'],
    trusted: boolean,
  ): ModelPort => {
    const url = new URL(baseUrl);
    const basePath = url.pathname.replace(/\/+$/, '');
    const pool = egress.pool(url.origin, { trusted });
    return createOpenAiChat({ ...options, provider, pool, basePath, apiKey, maxTokensField });
  };

  const localPort = async (): Promise<ModelPort> => {
    const model = local as LocalModel;
    await readyLocal(model);
    const known = ports.get(localProvider);
    if (known) return known;
    const pool = egress.pool('http://localhost', { trusted: true, socketPath: model.socketPath });
    const port = createOpenAiChat({
      ...options,
      provider: localProvider,
      pool,
      basePath: '/v1',
      apiKey: null,
      maxTokensField: 'max_tokens',
      defaultMaxTokens: null,
      // The first load of the weights and a long prompt take their time on a laptop.
      firstByteMs: Math.max(options.firstByteMs, 180_000),
    });
    ports.set(localProvider, port);
    return port;
  };

  const defaultName = (workspace: string): string | null => {
    if (options.defaultModel !== null) return options.defaultModel;
    for (const { name, defaultModel } of options.environment())
      if (defaultModel !== null) return `${name}/${defaultModel}`;
    for (const { name, models } of providers.of(workspace)) if (models[0]) return `${name}/${models[0].id}`;
    return local === null ? null : `${localProvider}/${local.name}`;
  };

  return {
    defaultName,
    async route(workspace, asked) {
      const name = asked ?? defaultName(workspace);
      if (name === null) throw noModel('No model is configured.');
      const [provider, model] = splitName(name);
      const row = providers.find(workspace, provider);
      if (row) {
        return { name, model, port: await workspacePort(row), price: priceOf(row.models, model) };
      }
      const given = options.environment().find((candidate) => candidate.name === provider);
      if (given) return { name, model, port: environmentPort(given), price: priceOf(given.models, model) };
      if (provider === localProvider && model === local?.name) {
        return { name, model, port: await localPort(), price: { input: 0, output: 0 } };
      }
      throw modelNotFound(name);
    },
    requireOffer(workspace, name) {
      const [provider, model] = splitName(name);
      if (providers.find(workspace, provider)) return;
      if (options.environment().some((given) => given.name === provider)) return;
      if (provider !== localProvider || model !== local?.name) throw modelNotFound(name);
    },
    list(workspace) {
      const chosen = defaultName(workspace);
      const models: Model[] = [];
      const add = (provider: string, offer: ModelOffer, note: string | null, ready = true) => {
        const name = `${provider}/${offer.id}`;
        if (models.some((model) => model.name === name)) return;
        models.push({
          name,
          provider,
          default: name === chosen,
          ready,
          note,
          context_window: offer.context_window ?? null,
          input_price: offer.input_price ?? null,
          output_price: offer.output_price ?? null,
        });
      };
      for (const row of providers.of(workspace)) for (const offer of row.models) add(row.name, offer, null);
      for (const given of options.environment()) for (const offer of given.models) add(given.name, offer, given.note);
      if (local) {
        const state = local.state();
        const context = local.contextSize();
        const offer = {
          id: local.name,
          input_price: 0,
          output_price: 0,
          ...(context === null ? {} : { context_window: context }),
        };
        add(localProvider, offer, describeLocal(local), state.state === 'ready' || state.state === 'starting');
      }
      return models.slice(0, 1000);
    },
  };
}

/** Where a provider's key is bound to, so that no other row can borrow it. */
export function providerKeyPlace(name: string) {
  return { table: 'pattern.provider', row: name, column: 'api_key' };
}

function priceOf(models: readonly ModelOffer[], id: string): Price | null {
  const offer = models.find((candidate) => candidate.id === id);
  if (offer?.input_price === undefined || offer.output_price === undefined) return null;
  return { input: offer.input_price, output: offer.output_price };
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

function splitName(name: string): [provider: string, model: string] {
  const slash = name.indexOf('/');
  return [name.slice(0, slash), name.slice(slash + 1)];
}

function modelNotFound(name: string): AppError {
  return new AppError(
    'model_not_found',
    `No provider offers ${name}. \`damask models\` lists what there is; a name is provider/model.`,
    { pointer: '/model' },
  );
}

function noModel(why: string, retryAfterSeconds?: number): AppError {
  return new AppError(
    'no_model',
    `${why} Ways to get one: wait for it or run \`damask model pull\`; start with OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY; start Ollama; or set DAMASK_MODEL_PATH to a GGUF file.`,
    retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
  );
}
