import { Worker } from 'node:worker_threads';
import { AppError } from './app-error.ts';
import { createJsonBuilder, type JsonBuilder } from './json-pieces.ts';
import type { JsonLimits } from './json-reader.ts';
import type { JsonAnswer, JsonRequest } from './json-worker.ts';
import { jsonLimits } from './strict-json.ts';

/** Bodies above this many bytes would hold the event loop for longer than 5 ms, or close to it. */
export const workerThreshold = 256 * 1024;

export interface JsonWorkers {
  /**
   * Parses as `parseStrictJson` does, in another thread. Takes the bytes over: a buffer that is alone in its memory is
   * empty afterwards. Rejects with `overloaded` when too many bodies wait.
   */
  parse(bytes: Uint8Array, limits?: JsonLimits): Promise<unknown>;
  /** Ends the threads; what still waits is rejected with `unavailable`. */
  close(): Promise<void>;
}

export interface JsonWorkersOptions {
  /** Number of threads, started when they are first needed. */
  readonly size: number;
  /** Bodies that may wait for a thread; 16 by default. */
  readonly queue?: number;
}

interface Job {
  readonly bytes: Uint8Array;
  readonly limits: JsonLimits;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface Seat {
  readonly worker: Worker;
  job: Job | undefined;
  builder: JsonBuilder;
}

/** Threads that parse large bodies. They do not keep the process alive. */
export function createJsonWorkers(options: JsonWorkersOptions): JsonWorkers {
  const most = options.queue ?? 16;
  const seats = new Set<Seat>();
  const waiting: Job[] = [];
  let closed = false;

  function hire(): Seat {
    const worker = new Worker(new URL('./json-worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    const seat: Seat = { worker, job: undefined, builder: createJsonBuilder() };
    worker.unref();
    worker.on('message', (answer: JsonAnswer) => hear(seat, answer));
    worker.on('error', (cause) => lose(seat, cause));
    worker.on('exit', () => lose(seat, undefined));
    seats.add(seat);
    return seat;
  }

  function start(seat: Seat, job: Job): void {
    seat.job = job;
    seat.builder = createJsonBuilder();
    seat.worker.ref();
    send(seat, { bytes: job.bytes, limits: job.limits }, ownMemory(job.bytes));
  }

  function hear(seat: Seat, answer: JsonAnswer): void {
    const job = seat.job;
    if (job === undefined) return;
    if ('refused' in answer) {
      finish(seat);
      job.reject(new AppError('invalid_request', answer.refused.message, { pointer: answer.refused.pointer }));
      return;
    }
    seat.builder.take(answer.pieces);
    if (!answer.last) {
      send(seat, 'next', []);
      return;
    }
    const value = seat.builder.value();
    finish(seat);
    job.resolve(value);
  }

  function finish(seat: Seat): void {
    seat.job = undefined;
    seat.builder = createJsonBuilder();
    const next = waiting.shift();
    if (next === undefined) seat.worker.unref();
    else start(seat, next);
  }

  function lose(seat: Seat, cause: unknown): void {
    if (!seats.delete(seat)) return;
    const reason = closed
      ? new AppError('unavailable', 'The server is stopping. Send the request again.')
      : new AppError('internal', 'The thread that parses large bodies ended. Send the request again.', {}, { cause });
    seat.job?.reject(reason);
    const next = closed ? undefined : waiting.shift();
    if (next !== undefined) start(hire(), next);
  }

  return {
    parse(bytes, limits = jsonLimits) {
      return new Promise((resolve, reject) => {
        if (closed) {
          reject(new AppError('unavailable', 'The server is stopping. Send the request again.'));
          return;
        }
        const job: Job = { bytes, limits, resolve, reject };
        const free = [...seats].find((seat) => seat.job === undefined);
        if (free !== undefined) start(free, job);
        else if (seats.size < options.size) start(hire(), job);
        else if (waiting.length < most) waiting.push(job);
        else reject(new AppError('overloaded', 'Too many large bodies at once. Send it again in a moment.'));
      });
    },
    async close() {
      closed = true;
      for (const job of waiting.splice(0)) {
        job.reject(new AppError('unavailable', 'The server is stopping. Send the request again.'));
      }
      await Promise.all([...seats].map((seat) => seat.worker.terminate()));
    },
  };
}

function send(seat: Seat, request: JsonRequest, transfer: ArrayBuffer[]): void {
  seat.worker.postMessage(request, transfer);
}

// Copying 32 MiB would hold this thread for several milliseconds; memory that others share cannot be given away.
function ownMemory(bytes: Uint8Array): ArrayBuffer[] {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength ? [buffer] : [];
}
