import type { Batch } from '@damask/contracts/batch-operations.ts';
import type { EventData, EventName } from '@damask/contracts/events.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { isDeadlock, type Transaction } from '#platform/database/database.ts';
import { inWorkspace } from '../library/library-parts.ts';
import type { BatchParts } from './batch-parts.ts';
import { type BatchRow, toBatch } from './batch-record.ts';
import { type BatchChange, holdTasks, type LockedBatch, lockBatch, updateBatch } from './batch-store.ts';

type Named = { readonly batch: string };

/** Begins no more runs; those under way end. A batch that is paused stays so, and nothing is said. */
export function pauseBatch(parts: BatchParts, context: CallContext, { batch: id }: Named): Promise<Batch> {
  return control(parts, context, id, async (transaction, row) => {
    if (row.status === 'paused' || row.status === 'cancelling') return undefined;
    await holdTasks(transaction, id, true);
    const change: BatchChange = { status: 'paused', reason: null };
    await updateBatch(transaction, id, change);
    await leave(parts, transaction, context, 'pauseBatch', id, 'pattern.batch-paused', { batch: id, reason: null });
    return change;
  });
}

/** Goes on with a batch that is paused, by whomever. */
export function resumeBatch(parts: BatchParts, context: CallContext, { batch: id }: Named): Promise<Batch> {
  return control(parts, context, id, async (transaction, row) => {
    if (row.status !== 'paused') return undefined;
    await holdTasks(transaction, id, false);
    const change: BatchChange = {
      status: row.started_at === null ? 'queued' : 'running',
      reason: null,
      resumed_at: row.now,
      // The pause is no part of the rate.
      rate: null,
      rated_at: null,
      rated: 0,
    };
    await updateBatch(transaction, id, change);
    await leave(parts, transaction, context, 'resumeBatch', id, 'pattern.batch-resumed', { batch: id });
    return change;
  });
}

/** Stops a batch; runs of it that are under way are broken off within moments. */
export function cancelBatch(parts: BatchParts, context: CallContext, { batch: id }: Named): Promise<Batch> {
  return control(parts, context, id, async (transaction, row) => {
    if (row.status === 'cancelling') return undefined;
    await holdTasks(transaction, id, true);
    const change: BatchChange = { status: 'cancelling', reason: null };
    await updateBatch(transaction, id, change);
    await leave(parts, transaction, context, 'cancelBatch', id, 'pattern.batch-cancelled', { batch: id });
    return change;
  });
}

/** How often runs that are let go of meanwhile may be in the way: they are locked in another order. */
const tries = 5;

/** `change` answers what it changed; nothing: it was so already. */
async function control(
  parts: BatchParts,
  context: CallContext,
  id: string,
  change: (transaction: Transaction, row: LockedBatch) => Promise<BatchChange | undefined>,
): Promise<Batch> {
  const once = () =>
    inWorkspace(parts, context, async (transaction): Promise<BatchRow> => {
      const row = await lockBatch(transaction, id, { patient: true });
      if (!row) throw notFound();
      if (row.finished_at !== null) {
        throw new AppError('batch_finished', `The batch has already ended: ${row.status}.`, {});
      }
      return { ...row, ...(await change(transaction, row)) };
    });
  for (let tried = 1; ; tried++) {
    try {
      const changed = await once();
      parts.wake();
      return toBatch(changed, parts.clock.now());
    } catch (error) {
      if (tried === tries || !isDeadlock(error)) throw error;
    }
  }
}

function leave<Name extends EventName>(
  { trail }: BatchParts,
  transaction: Transaction,
  context: CallContext,
  action: string,
  id: string,
  event: Name,
  data: EventData<Name>,
): Promise<void> {
  return trail.leave(transaction, context, { action, subject: `batch/${id}`, event, data });
}
