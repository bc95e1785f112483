import type { ErrorCode } from '@damask/contracts/errors.ts';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { AcceptedRow } from './record.ts';

export interface LiveRun {
  readonly row: AcceptedRow;
  /** Ends the run's call to the model; the run then ends with this code. */
  stop(code: ErrorCode, detail: string): void;
}

/** Runs that this process is executing. */
export interface LiveRuns {
  /** Throws `overloaded` when no more can be taken. */
  admit(): void;
  add(run: LiveRun): void;
  remove(id: string): void;
  find(workspace: string, id: string): LiveRun | undefined;
  readonly size: number;
  /** Waits until all have ended; after `milliseconds` those that are left are cut off. */
  drain(milliseconds: number): Promise<void>;
}

export function createLiveRuns(options: { limit: number; clock: Clock }): LiveRuns {
  const { limit, clock } = options;
  const runs = new Map<string, LiveRun>();
  let draining = false;
  let whenEmpty: (() => void) | undefined;
  return {
    admit() {
      if (draining) {
        throw new AppError('unavailable', 'The platform is stopping. Try again in a moment.', { retryAfterSeconds: 2 });
      }
      if (runs.size >= limit) {
        throw new AppError('overloaded', `${limit} runs are being executed already. Try again in a second.`, {
          retryAfterSeconds: 1,
        });
      }
    },
    add: (run) => {
      runs.set(run.row.id, run);
    },
    remove(id) {
      runs.delete(id);
      if (runs.size === 0) whenEmpty?.();
    },
    find(workspace, id) {
      const run = runs.get(id);
      return run?.row.workspace === workspace ? run : undefined;
    },
    get size() {
      return runs.size;
    },
    async drain(milliseconds) {
      draining = true;
      if (runs.size === 0) return;
      const empty = new Promise<void>((resolve) => {
        whenEmpty = resolve;
      });
      const late = clock.after(milliseconds, () => {
        for (const run of runs.values()) {
          run.stop('interrupted', 'The platform stopped before the run had ended. Run it again.');
        }
      });
      await empty;
      late.cancel();
    },
  };
}
