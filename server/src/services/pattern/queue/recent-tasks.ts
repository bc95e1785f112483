import type { Clock } from '#platform/clock.ts';
import type { Enqueued } from './task-record.ts';
import { keyOfTask } from './task-store.ts';

/** Runs that this process has accepted a moment ago: when it claims one of them, it need not read it again. */
export interface RecentTasks {
  keep(enqueued: Enqueued): void;
  /** Answers it once. */
  take(workspace: string, id: string): Enqueued | undefined;
}

const most = 2_000;
const mostBytes = 8 * 1024 * 1024;
/** Milliseconds after which somebody else has taken it, or it was never committed. */
const oldAfter = 30_000;

export function createRecentTasks({ monotonic }: Pick<Clock, 'monotonic'>): RecentTasks {
  const kept = new Map<string, { readonly enqueued: Enqueued; readonly at: number }>();
  let bytes = 0;

  const drop = (key: string): Enqueued | undefined => {
    const found = kept.get(key)?.enqueued;
    if (!found) return undefined;
    kept.delete(key);
    bytes -= found.task.request.length;
    return found;
  };

  return {
    keep(enqueued) {
      const { row, task } = enqueued;
      const now = monotonic();
      for (const [key, { at }] of kept) {
        if (now - at < oldAfter) break;
        drop(key);
      }
      // The oldest stay: they are claimed first.
      if (kept.size >= most || bytes + task.request.length > mostBytes) return;
      kept.set(keyOfTask(row.workspace, row.id), { enqueued, at: now });
      bytes += task.request.length;
    },
    take: (workspace, id) => drop(keyOfTask(workspace, id)),
  };
}
