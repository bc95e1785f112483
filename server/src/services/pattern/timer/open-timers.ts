import type { timerOperations } from '@damask/contracts/timer.ts';
import { AppError } from '#platform/app-error.ts';
import type { Implementation } from '#platform/call.ts';
import { isOpen } from '../batch/batch-store.ts';
import type { Batches } from '../batch/open-batches.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { planQueuedRun, type QueueParts } from '../run/plan-queued-run.ts';
import { createTimerOperations } from './timer-operations.ts';
import type { QueuedRuns, TimerParts } from './timer-parts.ts';
import { hasTask } from './timer-store.ts';
import { watchTimers } from './watch-timers.ts';

/** Timers, whose ticks queue runs. They tick from here on until `stop`. */
export function openTimers(
  options: Omit<TimerParts, 'runs'> &
    QueueParts & { readonly queue: TaskQueue; readonly batches: Pick<Batches, 'plan'> },
): {
  readonly operations: Implementation<typeof timerOperations>;
  stop(): Promise<void>;
} {
  const { queue, batches } = options;
  const runs: QueuedRuns = {
    async plan(context, request) {
      const { items, input, variables, language, ...rest } = request;
      if (items) {
        const extra = Object.entries({ input, variables, language }).find(([, value]) => value !== undefined);
        if (extra) throw refuse(extra[0], 'A batch takes it with each of its items, or not at all. Leave it out here.');
        return { kind: 'batch', ...(await batches.plan(context, { ...rest, items })) };
      }
      if (input === undefined) throw refuse('input', 'Send the input of a run, or items for a batch.');
      const { enqueued } = await planQueuedRun(options, context, {
        ...rest,
        input,
        ...(variables === undefined ? {} : { variables }),
        ...(language === undefined ? {} : { language }),
        mode: 'async',
      });
      return {
        kind: 'run',
        id: enqueued.row.id,
        accept: (transaction) => queue.insert(transaction, [enqueued]),
        announce: () => queue.wake(),
      };
    },
    isOpen: (transaction, { run, batch }) =>
      batch === null ? hasTask(transaction, run as string) : isOpen(transaction, batch),
  };
  const parts: TimerParts = { ...options, runs };
  const watch = watchTimers(parts);
  return { operations: createTimerOperations(parts), stop: () => watch.stop() };
}

function refuse(field: string, message: string): AppError {
  return new AppError('invalid_request', message, { pointer: `/${field}` });
}
