import type { timerOperations } from '@damask/contracts/timer.ts';
import type { Implementation } from '#platform/call.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { planQueuedRun, type QueueParts } from '../run/plan-queued-run.ts';
import { createTimerOperations } from './timer-operations.ts';
import type { QueuedRuns, TimerParts } from './timer-parts.ts';
import { hasTask } from './timer-store.ts';
import { watchTimers } from './watch-timers.ts';

/** Timers, whose ticks queue runs. They tick from here on until `stop`. */
export function openTimers(options: Omit<TimerParts, 'runs'> & QueueParts & { readonly queue: TaskQueue }): {
  readonly operations: Implementation<typeof timerOperations>;
  stop(): Promise<void>;
} {
  const { queue } = options;
  const runs: QueuedRuns = {
    async plan(context, request) {
      const { enqueued } = await planQueuedRun(options, context, { ...request, mode: 'async' });
      return {
        id: enqueued.row.id,
        accept: (transaction) => queue.insert(transaction, [enqueued]),
        announce: () => queue.wake(),
      };
    },
    isOpen: hasTask,
  };
  const parts: TimerParts = { ...options, runs };
  const watch = watchTimers(parts);
  return { operations: createTimerOperations(parts), stop: () => watch.stop() };
}
