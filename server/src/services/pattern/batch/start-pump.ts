import { AppError } from '#platform/app-error.ts';
import type { Timer } from '#platform/clock.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import { type BatchPlace, deleteBatch, listActive, listReceiving } from './batch-store.ts';
import { type Pumped, type PumpParts, pumpBatch } from './pump-batch.ts';

export interface BatchPump {
  /** There may be work: a batch was opened or changed, or a run of one has ended. */
  wake(): void;
  stop(): Promise<void>;
}

export interface PumpOptions extends Omit<PumpParts, 'wake'> {
  readonly registry: ProcessRegistry;
  /** Tells the workers that there are runs. */
  readonly onQueued: () => void;
}

/**
 * Milliseconds between two looks: after one that moved something, after one that did not, without batches, at those that are
 * paused, at one that could not go on, at what was left behind.
 */
const pauses = { moved: 50, busy: 200, idle: 1_000, paused: 3_000, failed: 5_000, left: 15_000 };
const batchesAtOnce = 100;
const pumpsAtOnce = 3;
const stopsAtOnce = 8;

/** Keeps the batches of all workspaces going. Every process may do it at the same time: each batch is in one's hands. */
export function startBatchPump(options: PumpOptions): BatchPump {
  const { database, registry, clock, log, onQueued } = options;
  const parts: PumpParts = { ...options, wake: () => wake() };
  let timer: Timer | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let stopped = false;
  let running: Promise<void> | undefined;
  let woken = false;
  let pausedAt = Number.NEGATIVE_INFINITY;
  let leftAt = Number.NEGATIVE_INFINITY;
  let failing = false;
  let place: BatchPlace | undefined;
  const failed = new Map<string, number>();

  const schedule = (milliseconds: number) => {
    const at = clock.monotonic() + milliseconds;
    if (stopped || running || at >= dueAt) return;
    timer?.cancel();
    dueAt = at;
    timer = clock.after(milliseconds, () => {
      dueAt = Number.POSITIVE_INFINITY;
      running = round().finally(() => {
        running = undefined;
        schedule(woken ? pauses.moved : next);
        woken = false;
      });
    });
  };
  let next = 0;

  async function round(): Promise<void> {
    try {
      const now = clock.monotonic();
      if (now - leftAt >= pauses.left) {
        leftAt = now;
        await removeLeft();
      }
      const paused = now - pausedAt >= pauses.paused;
      if (paused) pausedAt = now;
      const active = await listActive(database, { paused, after: place, limit: batchesAtOnce });
      // In turn: many batches of one workspace must not keep those of another from their turn.
      place = active.length === batchesAtOnce ? active.at(-1) : undefined;
      let moved = 0;
      const waiting = [...active];
      const work = async () => {
        for (let one = waiting.shift(); one && !stopped; one = waiting.shift())
          moved += await pumpOne(one.workspace, one.id);
      };
      await Promise.all(Array.from({ length: pumpsAtOnce }, work));
      next = moved > 0 ? pauses.moved : active.length > 0 ? pauses.busy : pauses.idle;
      failing = false;
    } catch (error) {
      next = pauses.idle;
      if (!failing) log.warn('Batches could not be looked at; it is tried again', { error });
      failing = true;
    }
  }

  async function pumpOne(workspace: string, batch: string): Promise<number> {
    // What fails for one batch only must neither fill the log nor hold up the others.
    if ((failed.get(batch) ?? 0) > clock.monotonic()) return 0;
    let pumped: Pumped;
    try {
      pumped = await pumpBatch(parts, workspace, batch);
      failed.delete(batch);
    } catch (error) {
      log.warn('A batch could not go on; it is tried again in some seconds', { workspace, batch, error });
      failed.set(batch, clock.monotonic() + pauses.failed);
      return 0;
    }
    if (pumped.queued > 0) onQueued();
    for (let at = 0; at < pumped.stop.length && !stopped; at += stopsAtOnce) {
      await Promise.all(pumped.stop.slice(at, at + stopsAtOnce).map((run) => stopRun(workspace, run)));
    }
    return pumped.moved;
  }

  /** One that has ended meanwhile is settled in the next round, and one that could not be stopped is tried again in it. */
  async function stopRun(workspace: string, run: string): Promise<void> {
    await options.cancelRun(workspace, run).catch((error: unknown) => {
      if (!(error instanceof AppError)) log.warn('A run of a batch could not be stopped yet', { run, error });
    });
  }

  /** What uploads left whose process is gone. */
  async function removeLeft(): Promise<void> {
    const receiving = await listReceiving(database, batchesAtOnce);
    const processes = [...new Set(receiving.map(({ process }) => process))];
    const gone = new Set(processes.length > 0 ? await registry.findGone(processes) : []);
    for (const { workspace, id } of receiving.filter(({ process }) => gone.has(process))) {
      await database.transaction({ role: 'pattern', workspace }, (transaction) => deleteBatch(transaction, id));
    }
  }

  const wake = () => {
    // It may have been a run of one that is paused.
    pausedAt = Math.min(pausedAt, clock.monotonic() - pauses.paused + pauses.busy);
    if (running) woken = true;
    else schedule(pauses.moved);
  };
  schedule(0);
  return {
    wake,
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}
