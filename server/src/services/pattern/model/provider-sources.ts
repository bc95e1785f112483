import type { ProviderProtocol } from '@damask/contracts/model.ts';
import { createRedact } from '#platform/redact.ts';
import type { Catalogue } from '../routing/catalogue.ts';
import { noLimits } from '../routing/gate.ts';
import { factsOf } from '../routing/model-facts.ts';
import { isAddonProtocol, openAddonPort } from './addon/open-addon-port.ts';
import type { EnvironmentProvider } from './environment-providers.ts';
import { createLocalSource } from './local-source.ts';
import type { ModelPort } from './model-call.ts';
import { openPort } from './open-port.ts';
import { chatModels, lists, type ProviderSource } from './provider-source.ts';
import { localProvider, type SourceOptions } from './source-options.ts';
import type { ProviderRow } from './store.ts';

/** All providers: the workspace's own hide the operator's of the same name; the model of this machine is last. */
export interface ProviderSources {
  find(workspace: string, name: string): ProviderSource | undefined;
  all(workspace: string): readonly ProviderSource[];
  /** One that is not in any table yet, to be tried. */
  ofRow(row: ProviderRow): ProviderSource;
}

export function createProviderSources(options: SourceOptions): ProviderSources {
  const { providers, local, environment } = options;
  const ofRows = new WeakMap<ProviderRow, ProviderSource>();
  const ofEnvironment = new WeakMap<EnvironmentProvider, ProviderSource>();
  const localSource = local ? createLocalSource(options, local) : undefined;

  const rowSource = (row: ProviderRow) => {
    const known = ofRows.get(row) ?? createRowSource(options, row);
    ofRows.set(row, known);
    return known;
  };
  const environmentSource = (given: EnvironmentProvider) => {
    const known = ofEnvironment.get(given) ?? createEnvironmentSource(options, given);
    ofEnvironment.set(given, known);
    return known;
  };
  return {
    ofRow: rowSource,
    find(workspace, name) {
      const row = providers.find(workspace, name);
      if (row) return rowSource(row);
      if (name === localProvider) return localSource;
      for (const given of environment()) if (given.name === name) return environmentSource(given);
      return undefined;
    },
    all(workspace) {
      const rows = providers.of(workspace);
      const given = environment().filter(({ name }) => !rows.some((row) => row.name === name));
      return [...rows.map(rowSource), ...given.map(environmentSource), ...(localSource ? [localSource] : [])];
    },
  };
}

function createEnvironmentSource(options: SourceOptions, given: EnvironmentProvider): ProviderSource {
  const { name, protocol, baseUrl, models, offered, defaultModel, note } = given;
  let port: ModelPort | null = null;
  return {
    name,
    origin: 'environment',
    protocol,
    models,
    offered,
    limits: noLimits,
    fallbacks: [],
    defaultModel,
    note,
    unready: () => null,
    port: () => {
      port ??= openPort(options, { ...given, provider: name, apiVersion: given.apiVersion ?? null, trusted: true });
      return port;
    },
    open: async () =>
      openPort(options, { ...given, provider: name, apiVersion: given.apiVersion ?? null, trusted: true }),
    facts: createFacts(options.catalogue, { protocol, baseUrl }, models, 'operator'),
    // The operator's key reaches everything that the vendor has, listed or not.
    has: () => true,
  };
}

function createRowSource(options: SourceOptions, row: ProviderRow): ProviderSource {
  const { name, protocol, base_url: baseUrl, models, offered } = row;
  let port: ModelPort | null = null;
  let opening: Promise<ModelPort> | undefined;
  const addon = isAddonProtocol(protocol) ? options.addon : null;
  const open = async () => {
    const apiKey =
      row.api_key && (await options.vault.open(row.workspace, providerKeyPlace(name), row.api_key)).toString('utf8');
    const own = apiKey === null ? options : { ...options, redact: withoutKey(options.redact, apiKey) };
    if (isAddonProtocol(protocol)) {
      port ??= openAddonPort(own, { provider: name, protocol, baseUrl, apiKey });
      return port;
    }
    port = openPort(own, {
      provider: name,
      protocol,
      baseUrl,
      apiKey,
      apiVersion: row.api_version,
      trusted: false,
    });
    return port;
  };
  return {
    name,
    origin: 'workspace',
    protocol,
    models,
    offered,
    limits: { ...noLimits, ...row.limits },
    fallbacks: row.fallbacks,
    defaultModel: models[0]?.id ?? (offered ? (chatModels(offered)[0] ?? null) : null),
    note: null,
    unready: () => null,
    port: () => (addon?.isRunning() === false ? null : port),
    async open() {
      if (addon) await addon.ready();
      opening ??= open();
      opening.catch(() => {
        opening = undefined;
      });
      return opening;
    },
    facts: createFacts(options.catalogue, { protocol, baseUrl }, models, 'workspace'),
    has: () => true,
  };
}

/** A provider that says its key again says it in vain, whatever the key looks like. */
function withoutKey(redact: SourceOptions['redact'], key: string): SourceOptions['redact'] {
  const own = createRedact([key]);
  return (text) => redact(own.text(text));
}

/** Looked up once for each model: a run must not search. */
function createFacts(
  catalogue: Catalogue,
  provider: { protocol: ProviderProtocol; baseUrl: string },
  models: ProviderSource['models'],
  source: 'workspace' | 'operator',
): ProviderSource['facts'] {
  return (model) => {
    const offer = models.find(({ id }) => id === model || lists([id], model));
    return factsOf(offer, catalogue.find(provider, model), source);
  };
}

/** Where a provider's key is bound to, so that no other row can borrow it. */
export function providerKeyPlace(name: string) {
  return { table: 'pattern.provider', row: name, column: 'api_key' };
}
