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
  /** Throws `overloaded` when as many uploads are read as may be. */
  open(options: ReadOptions): LineThread;
  close(): Promise<void>;
}

/** Threads that read uploads, so that parsing them holds nobody up. */
export function createLineThreads({ most = 4 }: { most?: number } = {}): LineThreads {
  const open = new Set<Worker>();
  let closed = false;
  return {
    open(options) {
      if (closed) throw new AppError('unavailable', 'The server is stopping. Send the upload again.');
      if (open.size >= most) {
        throw new AppError('overloaded', `${most} uploads are being read already. Send it again in a moment.`, {
          retryAfterSeconds: 5,
        });
      }
      const worker = new Worker(new URL('./line-worker.ts', import.meta.url), {
        // What is read lives for a moment: a small young generation is swept before it grows.
        resourceLimits: { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 8 },
      });
      open.add(worker);
      worker.unref();
      let waiting: { resolve(piece: ReadPiece): void; reject(error: unknown): void } | undefined;
      let failure: AppError | undefined;
      const fail = (cause?: unknown) => {
        failure ??= new AppError('unavailable', 'Reading the upload was broken off. Send it again.', {}, { cause });
        open.delete(worker);
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
          open.delete(worker);
          await worker.terminate();
        },
      };
    },
    async close() {
      closed = true;
      await Promise.all([...open].map((worker) => worker.terminate()));
    },
  };
}
