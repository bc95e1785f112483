import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { type BatchParts, chunkPlace } from './batch-parts.ts';
import { insertReceiving, openBatch } from './batch-store.ts';
import { checkItems } from './check-items.ts';
import { insertChunk, type SealedChunk } from './line-store.ts';
import { type BatchRequest, prepareBatch } from './prepare-batch.ts';
import { refuseLines } from './receive-lines.ts';

/** A batch of a list that is made in somebody else's transaction: that of a timer's tick. */
export interface PlannedBatch {
  readonly id: string;
  accept(transaction: Transaction): Promise<void>;
  /** Once that is committed. */
  announce(): void;
}

/** Finds out all that can be wrong with a list, pins and seals it. Errors: those of `createBatch`. */
export async function planBatch(
  parts: BatchParts,
  context: CallContext,
  request: BatchRequest & { readonly items: NonNullable<BatchRequest['items']> },
): Promise<PlannedBatch> {
  const { workspace } = context;
  const { batch, rules } = await prepareBatch(parts, context, request);
  const { id, settings } = batch;
  const chunks: SealedChunk[] = [];
  let total = 0;
  for await (const piece of checkItems(request.items, { rules, deterministic: settings.deterministic })) {
    if (piece.faults.length > 0) throw refuseLines(piece.faults, piece.faults.length, request.items.length);
    for (const { first, last, count, bytes, subjects } of piece.chunks) {
      const content = await parts.vault.seal(workspace, chunkPlace('batch_chunk', id, first), bytes);
      chunks.push({ first, last, count, content, subjects });
      total += count;
    }
  }
  return {
    id,
    async accept(transaction) {
      await insertReceiving(transaction, batch);
      for (const chunk of chunks) await insertChunk(transaction, 'batch_chunk', { workspace, batch: id }, chunk);
      await openBatch(transaction, id, { total, rejected: 0 });
      await parts.trail.leave(transaction, context, {
        action: 'createBatch',
        subject: `batch/${id}`,
        details: { pattern: batch.pattern, version: batch.version, lines: total, rejected: 0 },
        event: 'pattern.batch-created',
        data: { batch: id, pattern: batch.pattern, lines: total },
      });
    },
    announce: () => parts.wake(),
  };
}
