import type { ErrorCode } from '@damask/contracts/errors.ts';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { OutputText } from './output-text.ts';
import type { AcceptedRow } from './record.ts';
import type { RunReaders } from './run-readers.ts';

export interface LiveRun {
  readonly row: AcceptedRow;
  /** Ends the run's call to the model; the run then ends with this code. */
  stop(code: ErrorCode, detail: string): void;
  /** What has come so far. */
  readonly output: OutputText;
  /** Null until somebody reads along. */
  readers: RunReaders | null;
  /** Of a chain: what became of its steps, in order. */
  readonly steps?: readonly ChangedStep[];
  /** Its text is told with its end only, without what is taken out of it. */
  readonly late?: true;
  /** Something was decided about a step of it. */
  decided?(): void;
}

export interface ChangedStep {
  readonly path: string;
  readonly state: string;
}

/** Runs that this process is executing. */
export interface LiveRuns {
  /** Throws `overloaded` when no more can be taken. */
  admit(): void;
  add(run: LiveRun): void;
  remove(run: LiveRun): void;
  find(workspace: string, id: string): LiveRun | undefined;
  readonly size: number;
  /** Waits until all have ended; after `milliseconds` those that are left are cut off. */
  drain(milliseconds: number): Promise<void>;
}

export function createLiveRuns(options: { limit: number; clock: Clock }): LiveRuns {
  const { limit, clock } = options;
  // No map: while its entries come and go, it keeps outgrown tables, and with them thousands of ended runs, until the
  // next full collection (V8 links the old tables to the new one). Measured: a fifth of the run path's time.
  const runs: LiveRun[] = [];
  let draining = false;
  let whenEmpty: (() => void) | undefined;
  return {
    admit() {
      if (draining) {
        throw new AppError('unavailable', 'The platform is stopping. Try again in a moment.', { retryAfterSeconds: 2 });
      }
      if (runs.length >= limit) {
        throw new AppError('overloaded', `${limit} runs are being executed already. Try again in a second.`, {
          retryAfterSeconds: 1,
        });
      }
    },
    add: (run) => {
      runs.push(run);
    },
    remove(run) {
      const at = runs.indexOf(run);
      if (at < 0) return;
      // Their order does not matter: the last one takes the place that becomes free.
      runs[at] = runs[runs.length - 1] as LiveRun;
      runs.pop();
      if (runs.length === 0) whenEmpty?.();
    },
    find: (workspace, id) => runs.find(({ row }) => row.id === id && row.workspace === workspace),
    get size() {
      return runs.length;
    },
    async drain(milliseconds) {
      draining = true;
      if (runs.length === 0) return;
      const empty = new Promise<void>((resolve) => {
        whenEmpty = resolve;
      });
      const late = clock.after(milliseconds, () => {
        for (const run of runs) {
          run.stop('interrupted', 'The platform stopped before the run had ended. Run it again.');
        }
      });
      await empty;
      late.cancel();
    },
  };
}
