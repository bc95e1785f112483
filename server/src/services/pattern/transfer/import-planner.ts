import { setImmediate as letOthersRun } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { Egress } from '#platform/egress/egress.ts';
import { fromWireError, toWireError } from '#platform/rpc/wire.ts';
import type { GitSource } from './git-source.ts';
import type { ImportPlan } from './plan-import.ts';
import type { FromPlanner, PlannerRequest, ToPlanner } from './plan-messages.ts';

export type FoundPlan = ImportPlan & { readonly commit?: string };

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

const workersAllowed = 2;
const waitingAllowed = 8;
const mebibyte = 1024 * 1024;
/** Of everything that one git server sends. */
const gitBytes = 96 * mebibyte;
const gitMs = 150_000;
const localMs = 60_000;
const filesAtOnce = 200;
const piecesAtOnce = 16;

export interface ImportPlannerOptions {
  readonly egress: Egress;
  readonly clock: Clock;
  /** Threads at the same time, and imports that wait for one; 2 and 8 by default. */
  readonly workers?: number;
  readonly waiting?: number;
}

export function createImportPlanner(options: ImportPlannerOptions): ImportPlanner {
  const { egress, clock, workers = workersAllowed, waiting: most = waitingAllowed } = options;
  const running = new Set<Worker>();
  const waiting: (() => void)[] = [];
  let busy = 0;
  let closed = false;

  async function takeSeat(): Promise<void> {
    if (closed) throw stopping();
    if (busy === workers) {
      if (waiting.length === most) throw tooMany();
      await new Promise<void>((resolve) => waiting.push(resolve));
      if (closed) throw stopping();
    }
    busy++;
  }

  async function run(
    milliseconds: number,
    signal: AbortSignal,
    feed: (tell: (message: ToPlanner) => void) => Promise<void>,
  ): Promise<FoundPlan> {
    await takeSeat();
    try {
      if (closed) throw stopping();
      if (signal.aborted) throw callerLeft();
      return await work(milliseconds, signal, feed);
    } finally {
      busy--;
      waiting.shift()?.();
    }
  }

  async function work(
    milliseconds: number,
    signal: AbortSignal,
    feed: (tell: (message: ToPlanner) => void) => Promise<void>,
  ): Promise<FoundPlan> {
    const worker = new Worker(new URL('./plan-worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 768 },
    });
    running.add(worker);
    const abort = new AbortController();
    const timer = clock.after(milliseconds, () => abort.abort(tooSlow(milliseconds)));
    const onLeave = () => abort.abort(callerLeft());
    signal.addEventListener('abort', onLeave, { once: true });
    try {
      return await converse(worker, abort.signal, feed, (call, request) =>
        relay(egress, worker, call, request, abort.signal),
      );
    } catch (error) {
      throw closed ? stopping() : error;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', onLeave);
      abort.abort();
      running.delete(worker);
      await worker.terminate();
    }
  }

  return {
    planFiles: (files, origin, signal) =>
      run(localMs, signal, async (tell) => {
        tell({ start: 'files', origin });
        for (let at = 0; at < files.length; at += filesAtOnce) {
          tell({ files: files.slice(at, at + filesAtOnce) });
          await letOthersRun();
        }
        tell({ end: true });
      }),
    planArchive: (pieces, options, signal) =>
      run(localMs, signal, async (tell) => {
        tell({ start: 'archive', ...options });
        for (const [index, bytes] of pieces.entries()) {
          if (index % piecesAtOnce === 0) await letOthersRun();
          tell({ bytes });
        }
        tell({ end: true });
      }),
    planGit: (source, signal) => run(gitMs, signal, async (tell) => tell({ start: 'git', source })),
    async close() {
      closed = true;
      for (const wake of waiting.splice(0)) wake();
      await Promise.all([...running].map((worker) => worker.terminate()));
    },
  };
}

function converse(
  worker: Worker,
  signal: AbortSignal,
  feed: (tell: (message: ToPlanner) => void) => Promise<void>,
  answerCall: (call: number, request: PlannerRequest) => void,
): Promise<FoundPlan> {
  const tell = (message: ToPlanner) => post(worker, message);
  const plan = {
    patterns: [] as ImportPlan['patterns'][number][],
    strategies: [] as ImportPlan['strategies'][number][],
    ignored: [] as ImportPlan['ignored'][number][],
  };
  let commit: string | undefined;
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    worker.on('error', (cause) => reject(endedEarly(cause)));
    worker.on('exit', () => reject(endedEarly(undefined)));
    worker.on('message', (message: FromPlanner) => {
      if ('failed' in message) reject(withCause(fromWireError(message.failed), message.why));
      else if ('call' in message) answerCall(message.call, message.request);
      else {
        plan.patterns.push(...(message.group.patterns ?? []));
        plan.strategies.push(...(message.group.strategies ?? []));
        plan.ignored.push(...(message.group.ignored ?? []));
        commit ??= message.group.commit;
        if (message.last) resolve({ ...plan, ...(commit !== undefined && { commit }) });
        else setImmediate(tell, { next: true });
      }
    });
    feed(tell).catch(reject);
  });
}

/** The log says why; whoever asked does not learn it. */
function withCause({ code, message, details }: AppError, why: string | null): AppError {
  return new AppError(code, message, details, why === null ? undefined : { cause: new Error(why) });
}

/** Bytes are given away as a copy: a view that is sent takes all the memory along that it looks into. */
function post(worker: Worker, message: ToPlanner): void {
  if ('bytes' in message) {
    const bytes = new Uint8Array(message.bytes);
    worker.postMessage({ bytes } satisfies ToPlanner, [bytes.buffer]);
  } else if ('piece' in message) {
    const piece = new Uint8Array(message.piece);
    worker.postMessage({ answer: message.answer, piece } satisfies ToPlanner, [piece.buffer]);
  } else worker.postMessage(message);
}

/** Makes a call for the thread, through the guard. */
async function relay(egress: Egress, worker: Worker, call: number, request: PlannerRequest, signal: AbortSignal) {
  const tell = (message: ToPlanner) => {
    if (!signal.aborted) post(worker, message);
  };
  try {
    const { status, headers, url, chunks } = await egress.stream(request.url, {
      method: request.method,
      headers: { ...request.headers, 'user-agent': 'git/2.40 damask' },
      ...(request.body && { body: Buffer.from(request.body) }),
      ...{ signal, maxBytes: gitBytes, totalMs: gitMs },
    });
    const plain = Object.entries(headers).map(([name, value]) => [name, String(value ?? '')] as const);
    tell({ answer: call, status, headers: Object.fromEntries(plain), url });
    for await (const piece of chunks) tell({ answer: call, piece });
    tell({ answer: call, ended: true });
  } catch (error) {
    tell({ answer: call, failed: toWireError(error) });
  }
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

function endedEarly(cause: unknown): AppError {
  const memory = (cause as { code?: string } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
  if (memory)
    return new AppError('invalid_archive', 'Nothing was imported: reading it needs too much memory.', {}, { cause });
  return new AppError('internal', 'The thread that reads imports ended. Send the request again.', {}, { cause });
}
