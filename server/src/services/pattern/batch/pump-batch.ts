import { AppError } from '#platform/app-error.ts';
import type { Transaction } from '#platform/database/database.ts';
import { appendEvents } from '#platform/events.ts';
import { systemContext } from '#platform/system-context.ts';
import type { Enqueued } from '../queue/task-record.ts';
import type { BatchParts } from './batch-parts.ts';
import { type BatchChange, holdTasks, type LockedBatch, lockBatch, updateBatch } from './batch-store.ts';
import { fillWindow } from './fill-window.ts';
import { forgetLines } from './line-store.ts';
import { makeLineRun, openPlan } from './make-line-run.ts';
import { rateOf } from './rate.ts';
import { mostOpen, settleLines } from './settle-lines.ts';

export interface PumpParts extends BatchParts {
  /** Queues runs in a transaction of their workspace. */
  readonly insert: (transaction: Transaction, group: readonly Enqueued[]) => Promise<void>;
  /** Stops a run, wherever it is; one that has ended stays as it is. */
  readonly cancelRun: (workspace: string, run: string) => Promise<void>;
}

/** What came of a round. */
export interface Pumped {
  /** Lines that ended or were begun. */
  readonly moved: number;
  /** Runs that were queued: the workers should look. */
  readonly queued: number;
  /** Runs to be stopped, after the round's commit. */
  readonly stop: readonly string[];
}

/** Runs of a batch without a limit of its own that are queued or under way. */
const window = 1_000;
/** What keeps a batch from going on until somebody has mended it. */
const mendable: ReadonlySet<string> = new Set(['model_not_found', 'no_model', 'payload_gone']);
const idle: Pumped = { moved: 0, queued: 0, stop: [] };

/**
 * One round of work on a batch: notes the ends of its runs and begins the next ones. Whoever holds the batch's row does it, in
 * any process; all of a round is one transaction.
 */
export async function pumpBatch(parts: PumpParts, workspace: string, id: string): Promise<Pumped> {
  await parts.vault.ready(workspace);
  return parts.database.transaction({ role: 'pattern', workspace }, async (transaction) => {
    const batch = await lockBatch(transaction, id, { patient: false });
    if (!batch || batch.finished_at !== null) return idle;
    const settled = await settleLines(transaction, batch);
    const change: Change = addCounts(batch, settled.counts);
    Object.assign(change, rateOf(batch, settled.ended));
    let { status } = batch;
    if (status === 'queued' && batch.ready) {
      status = 'running';
      change.started_at = batch.now;
      Object.assign(change, { rated_at: batch.now, rated: 0 });
    }
    if (status !== 'cancelling') {
      const reason = stopReason(batch, settled.firstFailed);
      if (reason !== undefined) {
        status = 'cancelling';
        change.reason = reason;
        await holdTasks(transaction, id, true);
      } else if (settled.pauseFor !== undefined && status !== 'paused') {
        status = 'paused';
        change.reason = settled.pauseFor;
        await hold(parts, transaction, batch, settled.pauseFor);
      }
    }
    /** Lines begun for the first time, and those that run again: either keeps the batch from being over. */
    let queued = 0;
    let whole = false;
    if (status === 'running') {
      const room = (batch.settings.concurrency ?? window) - settled.openRuns.length;
      // Lines that wait for another one's answer are bounded as well.
      const filled = settled.open > mostOpen / 2 ? undefined : await fill(parts, transaction, batch, change, room);
      if (filled && 'reason' in filled) {
        status = 'paused';
        change.reason = filled.reason;
        await hold(parts, transaction, batch, filled.reason);
      } else if (filled) {
        queued = filled.begun + filled.repeated;
        whole = filled.whole;
      }
    }
    const again = change.again ?? batch.again;
    const over = settled.open + queued === 0 && (status === 'cancelling' || (whole && again === 0));
    if (over) {
      const stopped = (change.reason ?? batch.reason) !== null;
      status = status === 'cancelling' ? (stopped ? 'stopped' : 'cancelled') : 'finished';
      change.finished_at = batch.now;
      change.started_at ??= batch.started_at;
      if (batch.settings.store === 'none') await forgetLines(transaction, id);
      const context = { ...systemContext(parts.clock), workspace };
      await appendEvents(transaction, parts.clock, context, [
        { name: 'pattern.batch-finished', data: { batch: id, status } },
      ]);
    }
    if (status !== batch.status) change.status = status;
    await updateBatch(transaction, id, change);
    const stop = status === 'cancelling' ? settled.openRuns : [];
    return { moved: settled.ended + queued, queued, stop };
  });
}

type Change = { -readonly [Name in keyof BatchChange]: BatchChange[Name] };

/** Why a batch goes on no more. */
function stopReason({ late, settings }: LockedBatch, failed: number | undefined): string | undefined {
  if (late) return 'Its deadline has passed.';
  return settings.on_error === 'stop' && failed !== undefined ? `Line ${failed} failed.` : undefined;
}

/** Begins lines and notes them; where no run can be made, why. */
async function fill(
  parts: PumpParts,
  transaction: Transaction,
  batch: LockedBatch,
  change: Change,
  room: number,
): Promise<
  { readonly begun: number; readonly repeated: number; readonly whole: boolean } | { readonly reason: string }
> {
  const again = change.again ?? batch.again;
  try {
    const plan = await openPlan(parts, batch);
    const filled = await fillWindow(
      { vault: parts.vault, insert: parts.insert, toRun: (line) => makeLineRun(parts, batch, plan, line) },
      transaction,
      { ...batch, again },
      Math.max(0, room),
    );
    change.again = again - filled.repeated;
    change.begun = batch.begun + filled.begun;
    change.next_line = filled.nextLine;
    if (filled.cancelled > 0) change.cancelled = (change.cancelled ?? batch.cancelled) + filled.cancelled;
    // With no room nothing was looked for beyond: whether there is more shows in the next round.
    return { ...filled, whole: filled.whole };
  } catch (error) {
    if (!(error instanceof AppError) || !mendable.has(error.code)) throw error;
    return { reason: `${error.message} Then resume the batch.` };
  }
}

async function hold(parts: PumpParts, transaction: Transaction, { workspace, id }: LockedBatch, reason: string) {
  await holdTasks(transaction, id, true);
  const context = { ...systemContext(parts.clock), workspace };
  await parts.trail.leave(transaction, context, {
    action: 'pauseBatch',
    subject: `batch/${id}`,
    event: 'pattern.batch-paused',
    data: { batch: id, reason },
  });
}

function addCounts(batch: LockedBatch, counts: Awaited<ReturnType<typeof settleLines>>['counts']): Change {
  const entries = Object.entries(counts) as [keyof typeof counts, number][];
  return Object.fromEntries(entries.filter(([, more]) => more > 0).map(([name, more]) => [name, batch[name] + more]));
}
