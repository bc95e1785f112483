import { Worker } from 'node:worker_threads';
import { AppError } from '../app-error.ts';
import type { Clock, Timer } from '../clock.ts';
import type { UserSchema } from './check-by-schema.ts';
import type { Loaded, SchemaAnswer, SchemaRequest } from './schema-worker.ts';

export interface SchemaWorkers {
  /** Parses the text and checks it; a check that takes too long is a problem of its own. Rejects with `overloaded`, `unavailable`. */
  check(text: string, schema: UserSchema | null): Promise<SchemaAnswer>;
  close(): Promise<void>;
}

export interface SchemaWorkersOptions {
  readonly clock: Clock;
  /** Milliseconds that one check may take; 250 by default. */
  readonly within?: number;
  /** Checks that may wait; 1,000 by default. */
  readonly queue?: number;
}

interface Job {
  readonly request: SchemaRequest;
  resolve(answer: SchemaAnswer): void;
  reject(error: unknown): void;
}

/** Milliseconds that a new thread has to begin. */
const startWithin = 10_000;

/** One thread for schemas and texts that strangers wrote. It is ended when a check takes too long, and started again. */
export function createSchemaWorkers({ clock, within = 250, queue = 1_000 }: SchemaWorkersOptions): SchemaWorkers {
  const waiting: Job[] = [];
  let worker: Worker | undefined;
  let ready = false;
  let current: Job | undefined;
  let limit: Timer | undefined;
  let closed = false;

  const end = (answer: (job: Job) => void) => {
    limit?.cancel();
    const job = current;
    current = undefined;
    if (job) answer(job);
    next();
  };

  const hire = () => {
    const made = new Worker(new URL('./schema-worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    worker = made;
    ready = false;
    made.unref();
    made.on('message', (answer: SchemaAnswer | Loaded) => {
      if (worker !== made) return;
      if (answer !== 'loaded') end((job) => job.resolve(answer));
      else {
        ready = true;
        if (current !== undefined) watch(made, within);
      }
    });
    const lose = () => {
      if (worker !== made) return;
      worker = undefined;
      end((job) => job.resolve(tooMuch));
    };
    made.on('error', lose);
    made.on('exit', lose);
    return made;
  };

  const next = () => {
    if (closed || current !== undefined) return;
    current = waiting.shift();
    if (current === undefined) {
      worker?.unref();
      return;
    }
    const at = worker ?? hire();
    at.ref();
    watch(at, ready ? within : startWithin);
    at.postMessage(current.request);
  };

  const watch = (at: Worker, milliseconds: number) => {
    limit?.cancel();
    limit = clock.after(milliseconds, () => {
      worker = undefined;
      void at.terminate();
      end((job) => job.resolve(tooMuch));
    });
  };

  return {
    check(text, schema) {
      return new Promise((resolve, reject) => {
        if (closed) reject(new AppError('unavailable', 'The server is stopping. Send the request again.'));
        else if (waiting.length >= queue) {
          reject(new AppError('overloaded', 'Too many answers are being checked. Send it again in a moment.'));
        } else {
          waiting.push({ request: { text, schema }, resolve, reject });
          next();
        }
      });
    },
    async close() {
      closed = true;
      limit?.cancel();
      for (const job of [current, ...waiting.splice(0)]) {
        job?.reject(new AppError('unavailable', 'The server is stopping. Send the request again.'));
      }
      const last = worker;
      worker = undefined;
      await last?.terminate();
    },
  };
}

const tooMuch: SchemaAnswer = {
  ok: false,
  problems: [{ pointer: '', detail: 'takes too much to be checked against its schema' }],
};
