import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { makeFolder } from '#platform/make-folder.ts';
import { type FetchedModel, fetchLocalModel } from './fetch-local-model.ts';
import { type ModelProcess, startModelProcess } from './model-process.ts';
import { type Download, type FetchProgress, type ModelSource, reasonOf } from './model-source.ts';
import { nameOfModel, pathOfModel } from './pull-model.ts';
import { runtimeFolder } from './runtime.ts';
import type { Environment } from './tool-environment.ts';

export interface LocalModelOptions {
  readonly cacheDir: string;
  /** A short path of our own; the socket is made there. */
  readonly socketDirectory: string;
  /** The Node that runs us. */
  readonly nodePath: string;
  readonly source: ModelSource;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Log;
  readonly download: Download;
  /** For tests: further arguments of the model's program. */
  readonly more?: readonly string[];
}

export interface LocalModelState {
  /** `starting` also when everything is on disk and the next `ensure` starts it without the network. */
  readonly state: 'absent' | 'fetching' | 'starting' | 'ready' | 'failed';
  readonly phase?: FetchProgress['phase'];
  readonly received?: number;
  readonly total?: number | null;
  /** Why it failed. */
  readonly reason?: string;
}

export interface LocalModel {
  /** As in `local/<name>`. */
  readonly name: string;
  /** Where it speaks the OpenAI-compatible chat protocol while it is ready. */
  readonly socketPath: string;
  state(): LocalModelState;
  /** Tokens that one request may use, prompt and answer together; null before it was ready once. */
  contextSize(): number | null;
  /**
   * Fetches what is missing, starts the process and resolves when it serves; callers share one attempt. A crash later on is
   * mended without a call. Rejects with `no_model` when it cannot be had, and may then be called again.
   */
  ensure(): Promise<void>;
  stop(): Promise<void>;
}

// sun_path has 104 bytes on macOS and 108 on Linux, with the closing NUL.
const longestSocketPath = 103;
/** Waits before each new start; one that lives for `stableAfterMs` begins anew. */
const restartDelaysMs = [500, 2_000, 8_000, 30_000];
const stableAfterMs = 60_000;

/** The model on this machine: its file, its runtime, and the process that serves it. Does nothing before `ensure`. */
export function createLocalModel(options: LocalModelOptions): LocalModel {
  const { cacheDir, source, clock, log } = options;
  const name = nameOfModel(source);
  const socketPath = join(options.socketDirectory, 'model.sock');
  if (Buffer.byteLength(socketPath) > longestSocketPath) {
    const message = `The path ${socketPath} is too long for a socket. Choose a shorter data folder (DAMASK_DATA_DIR).`;
    throw new AppError('invalid_request', message);
  }
  const platform = { os: process.platform, cpu: process.arch };
  const files = [pathOfModel(cacheDir, source), runtimeFolder(cacheDir, platform)];
  const stopping = new AbortController();
  const { signal } = stopping;
  let shown: LocalModelState = { state: 'absent' };
  let contextSize: number | null = null;
  let lacksFiles = true;
  let attempt: Promise<void> | undefined;
  let running: ModelProcess | undefined;

  const isOnDisk = () => files.every((file) => existsSync(file));

  function begin(work: Promise<void>): Promise<void> {
    attempt = work.catch((error: unknown) => {
      attempt = undefined;
      if (!signal.aborted) {
        shown = { state: 'failed', reason: reasonOf(error) };
        lacksFiles = !isOnDisk();
        log.warn('There is no local model', { reason: shown.reason });
      }
      throw error;
    });
    attempt.catch(() => {});
    return attempt;
  }

  async function bringUp(): Promise<void> {
    shown = isOnDisk() ? { state: 'starting' } : { state: 'fetching', received: 0, total: null };
    if (shown.state === 'fetching') log.info('Fetching the local model', { model: name });
    const onProgress = (progress: FetchProgress) => {
      if (shown.state === 'fetching') shown = { state: 'fetching', ...progress };
    };
    const fetched = await fetchLocalModel({ ...options, platform, onProgress, signal });
    await makeFolder(options.socketDirectory);
    await start(fetched, 0);
  }

  async function start(fetched: FetchedModel, failures: number): Promise<void> {
    shown = { state: 'starting' };
    try {
      const { runtime, model } = fetched;
      running = await startModelProcess({ ...options, name, socketPath, runtime, model: model.path, signal });
    } catch (error) {
      // What never served does hardly get better by itself; what did was unlucky, with memory perhaps.
      const patience = contextSize === null ? 1 : restartDelaysMs.length;
      if (signal.aborted || failures >= patience) throw error;
      return restart(fetched, failures + 1);
    }
    const since = clock.monotonic();
    contextSize = running.contextSize;
    shown = { state: 'ready' };
    log.info('The local model is ready', { model: name, contextSize, pid: running.pid, from: fetched.model.from });
    void running.exited.then((how) => {
      running = undefined;
      if (signal.aborted) return;
      log.warn(`The process of the local model ${how}; starting it again`);
      void begin(restart(fetched, clock.monotonic() - since > stableAfterMs ? 0 : failures + 1));
    });
  }

  async function restart(fetched: FetchedModel, failures: number): Promise<void> {
    shown = { state: 'starting' };
    await clock.sleep(restartDelaysMs[Math.min(failures, restartDelaysMs.length) - 1] ?? 0, signal);
    await start(fetched, failures);
  }

  return {
    name,
    socketPath,
    contextSize: () => contextSize,
    state() {
      // Another process may have fetched meanwhile what was missing (`damask model pull`).
      const idle = attempt === undefined && lacksFiles && shown.state !== 'ready';
      return idle && isOnDisk() ? { state: 'starting' } : shown;
    },
    ensure() {
      if (signal.aborted) return Promise.reject(new AppError('unavailable', 'The platform is stopping.'));
      return attempt ?? begin(bringUp());
    },
    async stop() {
      stopping.abort(new AppError('unavailable', 'The platform is stopping.'));
      await attempt?.catch(() => {});
      await running?.stop();
    },
  };
}
