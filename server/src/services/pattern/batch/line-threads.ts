import { Worker } from 'node:worker_threads';
import { AppError } from '#platform/app-error.ts';
import type { FromReader, ToReader } from './line-worker.ts';
import type { ReadOptions, ReadPiece } from './read-lines.ts';

/** A thread that reads one upload. */
export interface LineThread {
  /** Reads some bytes. One call at a time. */
  take(bytes: Uint8Array, last: boolean): Promise<ReadPiece>;
  close(): Promise<void>;
}

export interface LineThreads {
  /** Waits for a seat; what is not read meanwhile stays with its sender. Rejects with `overloaded` when many wait already. */
  open(options: ReadOptions): Promise<LineThread>;
  close(): Promise<void>;
}

/** Threads that read large uploads, so that parsing them holds nobody up: two at a time, 16 wait. */
export function createLineThreads({ seats = 2, queue = 16 } = {}): LineThreads {
  const open = new Set<Worker>();
  const waiting: (() => void)[] = [];
  let taken = 0;
  let closed = false;

  async function sit(): Promise<void> {
    if (taken < seats) {
      taken += 1;
      return;
    }
    if (waiting.length >= queue) {
      throw new AppError('overloaded', 'Too many uploads are being read. Send it again in a moment.', {
        retryAfterSeconds: 5,
      });
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  function rise(): void {
    // The seat is handed on, not given up and taken again.
    const next = waiting.shift();
    if (next) next();
    else taken -= 1;
  }

  return {
    async open(options) {
      await sit();
      if (closed) {
        rise();
        throw new AppError('unavailable', 'The server is stopping. Send the upload again.');
      }
      const worker = new Worker(new URL('./line-worker.ts', import.meta.url), {
        // What is read lives for a moment: a small young generation is swept before it grows.
        resourceLimits: { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 8 },
      });
      open.add(worker);
      worker.unref();
      return talkTo(worker, options, () => {
        if (open.delete(worker)) rise();
      });
    },
    async close() {
      closed = true;
      await Promise.all([...open].map((worker) => worker.terminate()));
    },
  };
}

function talkTo(worker: Worker, options: ReadOptions, onEnd: () => void): LineThread {
  let waiting: { resolve(piece: ReadPiece): void; reject(error: unknown): void } | undefined;
  let failure: AppError | undefined;
  const fail = (cause?: unknown) => {
    failure ??= new AppError('unavailable', 'Reading the upload was broken off. Send it again.', {}, { cause });
    onEnd();
    waiting?.reject(failure);
  };
  worker.on('error', fail);
  worker.on('exit', () => fail());
  worker.on('message', (piece: FromReader) => {
    const answered = waiting;
    waiting = undefined;
    answered?.resolve(piece);
  });
  const tell = (message: ToReader) => worker.postMessage(message);
  tell({ start: options });
  return {
    take: (bytes, last) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure);
        waiting = { resolve, reject };
        tell({ bytes, last });
      }),
    async close() {
      await worker.terminate();
    },
  };
}
