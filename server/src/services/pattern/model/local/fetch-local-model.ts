import { cacheTrouble, noModel } from './model-source.ts';
import { type PulledModel, type PullOptions, pullModel } from './pull-model.ts';
import { installRuntime, type Platform } from './runtime.ts';

export interface FetchOptions extends PullOptions {
  /** Node 24; runs npm when that is known as a script only. */
  readonly nodePath: string;
  readonly platform: Platform;
}

export interface FetchedModel {
  readonly model: PulledModel;
  /** The folder of the runtime that loads it. */
  readonly runtime: string;
}

/**
 * Brings the model and what runs it, both once; what is there already is only checked.
 * Rejects with `no_model` when one of them cannot be had; the other one is then given up.
 */
export async function fetchLocalModel(options: FetchOptions): Promise<FetchedModel> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  const pulling = pullModel({ ...options, signal }).then((model) => {
    // The runtime is smaller and mostly there first; npm does not tell how far it is.
    options.onProgress?.({ phase: 'installing', received: 0, total: null });
    return model;
  });
  const installing = installRuntime({ ...options, signal }, options.platform);
  try {
    const [model, runtime] = await Promise.all([pulling, installing]);
    return { model, runtime };
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled([pulling, installing]);
    throw explainCacheError(error, options.cacheDir);
  }
}

function explainCacheError(error: unknown, cacheDir: string): unknown {
  const trouble = cacheTrouble(error);
  return trouble === undefined ? error : noModel(`The local model cannot be kept in ${cacheDir}: ${trouble}`, error);
}
