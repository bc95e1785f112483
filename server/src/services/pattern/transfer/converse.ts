import type { Worker } from 'node:worker_threads';
import { AppError } from '#platform/app-error.ts';
import type { Egress } from '#platform/egress/egress.ts';
import { fromWireError, toWireError } from '#platform/rpc/wire.ts';
import type { ImportPlan } from './plan-import.ts';
import type { FromPlanner, PlannerRequest, ToPlanner } from './plan-messages.ts';

export type FoundPlan = ImportPlan & { readonly commit?: string };

export interface Conversation {
  readonly worker: Worker;
  /** Aborts with the reason that the caller gets. */
  readonly signal: AbortSignal;
  readonly egress: Egress;
  /** Bounds of everything that one git server sends. */
  readonly git: { readonly bytes: number; readonly milliseconds: number };
  /** Hears of bytes that a git server sent. */
  onBytes(count: number): void;
}

/** Hands one piece of work to a planner's thread, makes the calls that it asks for, and takes the plan over piece by piece. */
export async function converse(
  { worker, signal, egress, git, onBytes }: Conversation,
  feed: (tell: (message: ToPlanner) => void) => Promise<void>,
): Promise<FoundPlan> {
  const tell = (message: ToPlanner) => {
    if (!signal.aborted) post(worker, message);
  };
  const plan = {
    patterns: [] as ImportPlan['patterns'][number][],
    strategies: [] as ImportPlan['strategies'][number][],
    refused: [] as ImportPlan['refused'][number][],
    ignored: [] as ImportPlan['ignored'][number][],
  };
  let commit: string | undefined;
  const { promise, resolve, reject } = Promise.withResolvers<FoundPlan>();
  const onMessage = (message: FromPlanner) => {
    if ('failed' in message) reject(withCause(fromWireError(message.failed), message.why));
    else if ('call' in message) relay(message.call, message.request).catch(reject);
    else {
      plan.patterns.push(...(message.group.patterns ?? []));
      plan.strategies.push(...(message.group.strategies ?? []));
      plan.refused.push(...(message.group.refused ?? []));
      plan.ignored.push(...(message.group.ignored ?? []));
      commit ??= message.group.commit;
      if (message.last) resolve({ ...plan, ...(commit !== undefined && { commit }) });
      else setImmediate(tell, { next: true });
    }
  };
  const onAbort = () => reject(signal.reason);
  const onError = (cause: unknown) => reject(endedEarly(cause));
  const onExit = () => reject(endedEarly(undefined));

  /** Through the guard. */
  async function relay(call: number, request: PlannerRequest): Promise<void> {
    try {
      const { status, headers, url, chunks } = await egress.stream(request.url, {
        method: request.method,
        headers: { ...request.headers, 'user-agent': 'git/2.40 damask' },
        ...(request.body && { body: Buffer.from(request.body) }),
        ...{ signal, maxBytes: git.bytes, totalMs: git.milliseconds },
      });
      const plain = Object.entries(headers).map(([name, value]) => [name, String(value ?? '')] as const);
      tell({ answer: call, status, headers: Object.fromEntries(plain), url });
      for await (const piece of chunks) {
        onBytes(piece.length);
        tell({ answer: call, piece });
      }
      tell({ answer: call, ended: true });
    } catch (error) {
      tell({ answer: call, failed: toWireError(error) });
    }
  }

  signal.addEventListener('abort', onAbort, { once: true });
  worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  try {
    if (signal.aborted) throw signal.reason;
    feed(tell).catch(reject);
    return await promise;
  } finally {
    worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    signal.removeEventListener('abort', onAbort);
  }
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

/** The log says why; whoever asked does not learn it. */
function withCause({ code, message, details }: AppError, why: string | null): AppError {
  return new AppError(code, message, details, why === null ? undefined : { cause: new Error(why) });
}

function endedEarly(cause: unknown): AppError {
  if ((cause as { code?: string } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new AppError(
      'invalid_archive',
      'Nothing was imported: reading it needs too much memory. Import a part of it.',
      {},
      { cause },
    );
  }
  return new AppError('internal', 'The thread that reads imports ended. Send the request again.', {}, { cause });
}
