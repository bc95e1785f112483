import type { TaskQueue } from './queue/task-queue.ts';
import type { TaskRuns } from './queue/task-runs.ts';
import type { Journal } from './run/journal.ts';

/** Faults that a test plants to see that its checks can fail. Never set outside tests. */
export interface PlantedFaults {
  readonly journal?: (journal: Journal) => Journal;
  /** False: nobody ends the runs of a dead process. */
  readonly recovery?: boolean;
  /** False: an Idempotency-Key is taken and means nothing. */
  readonly keys?: boolean;
  /** Around what a worker does for a run, and around what is done to queue one. */
  readonly worker?: (runs: TaskRuns) => TaskRuns;
  readonly queue?: (queue: TaskQueue) => TaskQueue;
}
