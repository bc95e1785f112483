import type { Run } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';

/** Who reads a live run along beside its caller. Each keeps its own place in the text that has come. */
export interface RunReaders {
  readonly size: number;
  /** Set when the run has ended and its end is committed. */
  readonly ended: Run | undefined;
  /** Nothing more will come. */
  readonly closed: boolean;
  /** `wake` is called when there is more to read. Throws `overloaded` when there are too many. */
  join(wake: () => void): void;
  leave(wake: () => void): void;
  wake(): void;
  end(run: Run): void;
  close(): void;
  /** Calls `act` when the last one leaves. */
  whenLeft(act: () => void): void;
}

const mostReaders = 16;

export function createRunReaders(): RunReaders {
  const wakes = new Set<() => void>();
  let ended: Run | undefined;
  let closed = false;
  let left: (() => void) | undefined;
  const wake = () => {
    for (const one of wakes) one();
  };
  return {
    get size() {
      return wakes.size;
    },
    get ended() {
      return ended;
    },
    get closed() {
      return closed;
    },
    join(one) {
      if (wakes.size >= mostReaders) {
        throw new AppError(
          'overloaded',
          `${mostReaders} clients read this run already. Close one, or read it when it has ended.`,
          {
            retryAfterSeconds: 5,
          },
        );
      }
      wakes.add(one);
    },
    leave(one) {
      wakes.delete(one);
      if (wakes.size === 0) left?.();
    },
    wake,
    end(run) {
      ended = run;
      wake();
    },
    close() {
      closed = true;
      wake();
    },
    whenLeft(act) {
      left = act;
    },
  };
}
