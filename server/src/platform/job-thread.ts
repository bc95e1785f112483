import { Worker } from 'node:worker_threads';
import { AppError } from './app-error.ts';
import type { Clock, Timer } from './clock.ts';

export interface JobThread<Request, Answer> {
  /** Rejects with `overloaded` and `unavailable`; a job that takes too long gets the answer for that. */
  do(request: Request): Promise<Answer>;
  close(): Promise<void>;
}

export interface JobThreadOptions<Answer> {
  readonly clock: Clock;
  /** Of the worker. It says `loaded` once, and then answers each message with one. */
  readonly file: URL;
  /** Milliseconds that one job may take. */
  readonly within: number;
  /** Jobs that may wait. */
  readonly queue: number;
  /** The answer for a job that took too long, or that the thread died of. */
  readonly tooMuch: Answer;
  /** What to tell whom nobody can serve now. */
  readonly busy: string;
}

interface Job<Request, Answer> {
  readonly request: Request;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Milliseconds that a new thread has to begin. */
const startWithin = 10_000;

/** One thread for what strangers wrote. It is ended when a job takes too long, and started again. */
export function createJobThread<Request, Answer>({
  clock,
  file,
  within,
  queue,
  tooMuch,
  busy,
}: JobThreadOptions<Answer>): JobThread<Request, Answer> {
  const waiting: Job<Request, Answer>[] = [];
  let worker: Worker | undefined;
  let ready = false;
  let current: Job<Request, Answer> | undefined;
  let limit: Timer | undefined;
  let closed = false;

  const end = (answer: (job: Job<Request, Answer>) => void) => {
    limit?.cancel();
    const job = current;
    current = undefined;
    if (job) answer(job);
    next();
  };

  const hire = () => {
    const made = new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: 256 } });
    worker = made;
    ready = false;
    made.unref();
    made.on('message', (answer: Answer | 'loaded') => {
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
    do(request) {
      return new Promise((resolve, reject) => {
        if (closed) reject(new AppError('unavailable', 'The server is stopping. Send the request again.'));
        else if (waiting.length >= queue) reject(new AppError('overloaded', busy));
        else {
          waiting.push({ request, resolve, reject });
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
