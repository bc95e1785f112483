import { setImmediate as letOthersRun } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import { AppError } from '#platform/app-error.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Egress } from '#platform/egress/egress.ts';
import { converse, type FoundPlan } from './converse.ts';
import type { GitSource } from './git-source.ts';
import type { ToPlanner } from './plan-messages.ts';

/** Reads what is imported in a thread, so that neither a bomb nor 20,000 files hold the event loop. */
export interface ImportPlanner {
  /** Rejects as `planImport` does. */
  planFiles(files: readonly PatternFile[], origin: string, signal: AbortSignal): Promise<FoundPlan>;
  /** `within`: the folder to look in. Rejects with `invalid_archive`, `invalid_tree`. */
  planArchive(
    pieces: readonly Uint8Array[],
    options: { readonly name: string; readonly within: string },
    signal: AbortSignal,
  ): Promise<FoundPlan>;
  /** Rejects with `egress_denied`, `invalid_repository`, `invalid_tree`, `unavailable`. */
  planGit(source: GitSource, signal: AbortSignal): Promise<FoundPlan>;
  close(): Promise<void>;
}

export interface ImportPlannerOptions {
  readonly egress: Egress;
  readonly clock: Clock;
  /** Threads at the same time, and imports that wait for one; 2 and 8 by default. */
  readonly workers?: number;
  readonly waiting?: number;
}

interface Work {
  readonly milliseconds: number;
  /** A thread that has read much is not used again: its memory would stay. */
  readonly large: boolean;
  feed(tell: (message: ToPlanner) => void): Promise<void>;
}

const mebibyte = 1024 * 1024;
const largeBytes = 4 * mebibyte;
const gitMs = 150_000;
const git = { bytes: 96 * mebibyte, milliseconds: gitMs };
const localMs = 60_000;
const idleMs = 10_000;
const filesAtOnce = 200;
const piecesAtOnce = 16;

export function createImportPlanner(options: ImportPlannerOptions): ImportPlanner {
  const { clock, workers = 2, waiting: most = 8 } = options;
  const egress = options.egress.surface('import');
  const all = new Set<Worker>();
  const idle: { worker: Worker; timer: Timer }[] = [];
  const waiting: (() => void)[] = [];
  let busy = 0;
  let closed = false;

  function hire(): Worker {
    const found = idle.pop();
    found?.timer.cancel();
    if (found) return found.worker;
    const worker = new Worker(new URL('./plan-worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 768 },
    });
    worker.unref();
    // Whoever talks to it hears of its end too; without a listener here an idle one could end the process.
    worker.on('error', () => undefined);
    worker.on('exit', () => all.delete(worker));
    all.add(worker);
    return worker;
  }

  function keep(worker: Worker): void {
    const timer = clock.after(idleMs, () => {
      idle.splice(
        idle.findIndex((each) => each.worker === worker),
        1,
      );
      worker.terminate();
    });
    idle.push({ worker, timer });
  }

  async function takeSeat(): Promise<void> {
    if (busy < workers) {
      busy++;
      return;
    }
    if (waiting.length === most) throw tooMany();
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  async function run(signal: AbortSignal, work: Work): Promise<FoundPlan> {
    if (closed) throw stopping();
    await takeSeat();
    try {
      if (closed) throw stopping();
      if (signal.aborted) throw callerLeft();
      return await talk(signal, work);
    } catch (error) {
      throw closed ? stopping() : error;
    } finally {
      // Handed on, not given up and taken again: in between somebody else could sit down, too.
      const next = waiting.shift();
      if (next) next();
      else busy--;
    }
  }

  async function talk(signal: AbortSignal, { milliseconds, large, feed }: Work): Promise<FoundPlan> {
    const worker = hire();
    const abort = new AbortController();
    const timer = clock.after(milliseconds, () => abort.abort(tooSlow(milliseconds)));
    const onLeave = () => abort.abort(callerLeft());
    signal.addEventListener('abort', onLeave, { once: true });
    worker.ref();
    let sound = false;
    let fetched = 0;
    const onBytes = (count: number) => {
      fetched += count;
    };
    try {
      const plan = await converse({ worker, signal: abort.signal, egress, git, onBytes }, feed);
      sound = true;
      return plan;
    } catch (error) {
      sound = error instanceof AppError && error.kind === 'invalid' && !abort.signal.aborted;
      throw error;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', onLeave);
      // Ends calls that the thread asked for and nobody waits for any more.
      abort.abort();
      worker.unref();
      if (sound && !large && fetched < largeBytes && !closed && all.has(worker)) keep(worker);
      else await worker.terminate();
    }
  }

  return {
    planFiles: (files, origin, signal) =>
      run(signal, {
        milliseconds: localMs,
        large: files.length > 1000,
        async feed(tell) {
          tell({ start: 'files', origin });
          for (let at = 0; at < files.length; at += filesAtOnce) {
            tell({ files: files.slice(at, at + filesAtOnce) });
            await letOthersRun();
          }
          tell({ end: true });
        },
      }),
    planArchive: (pieces, { name, within }, signal) =>
      run(signal, {
        milliseconds: localMs,
        large: pieces.reduce((sum, { length }) => sum + length, 0) > largeBytes,
        async feed(tell) {
          tell({ start: 'archive', name, within });
          for (const [index, bytes] of pieces.entries()) {
            if (index % piecesAtOnce === 0) await letOthersRun();
            tell({ bytes });
          }
          tell({ end: true });
        },
      }),
    planGit: (source, signal) =>
      run(signal, { milliseconds: gitMs, large: false, feed: async (tell) => tell({ start: 'git', source }) }),
    async close() {
      closed = true;
      for (const { timer } of idle.splice(0)) timer.cancel();
      for (const wake of waiting.splice(0)) wake();
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
}

function tooSlow(milliseconds: number): AppError {
  return new AppError(
    'timeout',
    `Nothing was imported: reading it took longer than ${milliseconds / 1000} s. Import a part of it.`,
  );
}

function tooMany(): AppError {
  return new AppError('overloaded', 'Too many imports at once. Try again in a few seconds.', { retryAfterSeconds: 5 });
}

function callerLeft(): AppError {
  return new AppError('unavailable', 'The caller left.');
}

function stopping(): AppError {
  return new AppError('unavailable', 'The server is stopping. Import again in a moment.', { retryAfterSeconds: 5 });
}
