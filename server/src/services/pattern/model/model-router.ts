import type { Capability, Model } from '@damask/contracts/model.ts';
import { AppError } from '#platform/app-error.ts';
import { chance } from '#platform/chance.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { Candidate } from '../routing/candidate.ts';
import type { Gates } from '../routing/gates.ts';
import { RoutedCall, type RoutedResult } from '../routing/routed-call.ts';
import { type ModelWish, orderModels } from '../routing/wish.ts';
import { listModels } from './list-models.ts';
import { noModel } from './local-source.ts';
import type { ModelCall, ModelRequest } from './model-call.ts';
import type { ProviderSource } from './provider-source.ts';
import type { ProviderSources } from './provider-sources.ts';

/** A call that may go to several models; `model` of the request is the first one's. */
export interface RoutedPort {
  call(request: ModelRequest): ModelCall & { readonly done: Promise<RoutedResult> };
}

/** Where a run's call goes first. */
export interface ModelRoute {
  /** `provider/model` */
  readonly name: string;
  readonly model: string;
  readonly port: RoutedPort;
  /** All that may be called, in their order; none where an answer is at hand. */
  readonly candidates: readonly Candidate[];
  readonly repeatUncertain: boolean;
}

export interface ModelRouter {
  /**
   * Throws `model_not_found` for an unknown provider, `no_model` when there is none at all or it is not ready. A promise
   * only where something must be waited for.
   */
  route(workspace: string, wish: ModelWish | null): ModelRoute | Promise<ModelRoute>;
  /** The names that `route` would try first, in their order, before any fallback. Throws as `route` does, but waits for nothing. */
  order(workspace: string, wish: ModelWish | null): readonly [string, ...string[]];
  /** All that `route` may call, whether or not they can be reached now. Waits for nothing. */
  candidates(workspace: string, wish: ModelWish | null): readonly Candidate[];
  /** What a run uses that names no model; null when there is none. */
  defaultName(workspace: string): string | null;
  list(workspace: string): Model[];
  /** What a model is known to take; null when nothing is known, or it does not exist. */
  capabilities(workspace: string, name: string): readonly Capability[] | null;
  /** Throws `model_not_found` when no provider offers it, whether or not it could answer now. */
  requireOffer(workspace: string, name: string): void;
}

export interface ModelRouterOptions {
  readonly sources: ProviderSources;
  readonly gates: Gates;
  /** The operator's choice of the default. */
  readonly defaultModel: string | null;
  /** The operator's patience with a provider. */
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

interface KnownCandidate {
  readonly source: ProviderSource;
  readonly candidate: Candidate;
  /** For runs that want this one without fallbacks. */
  readonly alone: ModelRoute;
}

/** Anyone may name any model, so that what is remembered must end somewhere. */
const mostCandidates = 5_000;

export function createModelRouter(options: ModelRouterOptions): ModelRouter {
  const { sources, gates, clock, log } = options;
  const patienceMs = Math.min(options.firstByteMs, options.idleMs);
  const known = new Map<string, Map<string, KnownCandidate>>();
  let remembered = 0;

  const toRoute = (candidates: readonly [Candidate, ...Candidate[]], repeatUncertain: boolean): ModelRoute => {
    const routing = { candidates, repeatUncertain, patienceMs, clock, log };
    const [{ name, model }] = candidates;
    return { name, model, port: { call: (request) => new RoutedCall(routing, request) }, candidates, repeatUncertain };
  };

  const find = (workspace: string, name: string): KnownCandidate => {
    const remember = known.get(workspace)?.get(name);
    const [provider, model] = splitName(name);
    const source = sources.find(workspace, provider);
    if (remember !== undefined && remember.source === source) return remember;
    if (source === undefined || !source.has(model)) throw modelNotFound(name);
    const gate = gates.of(workspace, provider);
    gate.limits = source.limits;
    const facts = source.facts(model);
    const candidate: Candidate = {
      name,
      model,
      facts,
      gate,
      get port() {
        return source.port();
      },
      open: () => source.open(),
    };
    const found = { source, candidate, alone: toRoute([candidate], false) };
    if (++remembered > mostCandidates) {
      known.clear();
      remembered = 1;
    }
    const ofWorkspace = known.get(workspace) ?? new Map<string, KnownCandidate>();
    known.set(workspace, ofWorkspace.set(name, found));
    return found;
  };

  /** The first that can be called now, and what comes after it. Throws what was wrong with the first one. */
  const openFirst = async (found: readonly KnownCandidate[], repeatUncertain: boolean): Promise<ModelRoute> => {
    let reason: unknown;
    for (const [at, { candidate }] of found.entries()) {
      try {
        if (candidate.port === null) await candidate.open();
        const rest = found.slice(at + 1).map((one) => one.candidate);
        return toRoute([candidate, ...rest], repeatUncertain);
      } catch (error) {
        reason ??= error;
      }
    }
    throw reason;
  };

  const defaultName = (workspace: string): string | null => {
    if (options.defaultModel !== null) return options.defaultModel;
    const all = sources.all(workspace);
    const first = (origin: ProviderSource['origin']) =>
      all.find((source) => source.origin === origin && source.defaultModel !== null);
    const source = first('environment') ?? first('workspace') ?? first('local');
    return source ? `${source.name}/${source.defaultModel}` : null;
  };

  const namesOf = (workspace: string, wish: ModelWish | null): string[] => {
    if (wish !== null && wish.models.length > 0) {
      return wish.inOrder ? wish.models.map(({ name }) => name) : orderModels(wish.models, () => chance(clock));
    }
    const name = defaultName(workspace);
    if (name === null) throw noModel('No model is configured.');
    return [name];
  };

  /** Those that there are. Throws what was wrong with the first one where there is none. */
  const findAll = (workspace: string, names: readonly string[], own: readonly string[]): KnownCandidate[] => {
    const found: KnownCandidate[] = [];
    let reason: unknown;
    for (const name of withFallbacks(names, own, (first) => find(workspace, first).source.fallbacks)) {
      try {
        found.push(find(workspace, name));
      } catch (error) {
        reason ??= error;
      }
    }
    if (found.length === 0) throw reason;
    return found;
  };

  return {
    defaultName,
    route(workspace, wish) {
      const repeatUncertain = wish?.repeatUncertain === true;
      const names = namesOf(workspace, wish);
      const own = wish?.fallbacks ?? [];
      if (names.length === 1 && own.length === 0 && !repeatUncertain) {
        const { source, candidate, alone } = find(workspace, names[0] as string);
        if (source.fallbacks.length === 0 && candidate.port !== null) return alone;
      }
      return openFirst(findAll(workspace, names, own), repeatUncertain);
    },
    candidates: (workspace, wish) =>
      findAll(workspace, namesOf(workspace, wish), wish?.fallbacks ?? []).map(({ candidate }) => candidate),
    order(workspace, wish) {
      const names = namesOf(workspace, wish);
      let reason: unknown;
      for (const name of [...names, ...(wish?.fallbacks ?? [])]) {
        try {
          find(workspace, name);
          return names as [string, ...string[]];
        } catch (error) {
          reason ??= error;
        }
      }
      throw reason;
    },
    requireOffer(workspace, name) {
      const [provider, model] = splitName(name);
      if (!sources.find(workspace, provider)?.has(model)) throw modelNotFound(name);
    },
    capabilities(workspace, name) {
      const [provider, model] = splitName(name);
      return sources.find(workspace, provider)?.facts(model).capabilities ?? null;
    },
    list: (workspace) => listModels(sources.all(workspace), defaultName(workspace), clock.now()),
  };
}

/** A version's own fallbacks; where it names none, those of the provider that comes first. */
function withFallbacks(
  names: readonly string[],
  own: readonly string[],
  ofProvider: (name: string) => readonly string[],
): Set<string> {
  if (own.length > 0) return new Set([...names, ...own]);
  try {
    return new Set([...names, ...ofProvider(names[0] as string)]);
  } catch {
    // An unknown provider has none; that it is unknown is told where it is looked for.
    return new Set(names);
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

/** The model of runs that name none, and why it is not ready yet. */
export function describeDefaultModel(
  router: Pick<ModelRouter, 'list' | 'defaultName'>,
  workspace: string,
): string | null {
  const model = router.list(workspace).find((candidate) => candidate.default);
  return model
    ? [model.name, model.note && `(${model.note})`].filter(Boolean).join(' ')
    : router.defaultName(workspace);
}
