import type { batchOperations } from '@damask/contracts/batch-operations.ts';
import { notFound } from '#platform/app-error.ts';
import type { Implementation } from '#platform/call.ts';
import { inWorkspace } from '../library/library-parts.ts';
import type { BatchParts } from './batch-parts.ts';
import { toBatch } from './batch-record.ts';
import { listBatches, readBatch } from './batch-store.ts';
import { cancelBatch, pauseBatch, resumeBatch } from './control-batch.ts';
import { createBatch } from './create-batch.ts';
import { listBatchErrors } from './list-batch-errors.ts';
import type { OpenTexts } from './read-results.ts';
import { sendResults } from './send-results.ts';

/** Many inputs for one version. Inputs are checked and permissions asked for before they come here. */
export function createBatchOperations(
  parts: BatchParts & { readonly openTexts: OpenTexts },
): Implementation<typeof batchOperations> {
  const { cursors, clock } = parts;
  return {
    /** The lines are `items` or the context's upload. Errors: `invalid_batch` with lines and columns, `idempotency_key_reused`. */
    createBatch: (context, input) => createBatch(parts, context, input),

    async listBatches(context, { limit = 50, cursor, status, pattern }) {
      const { workspace } = context;
      const scope = { list: 'batches', workspace, filter: JSON.stringify({ status, pattern }) };
      const before = cursor === undefined ? undefined : cursors.decode(scope, cursor)[0];
      const rows = await inWorkspace(parts, context, (transaction) =>
        listBatches(transaction, {
          ...(status === undefined ? {} : { status }),
          ...(pattern === undefined ? {} : { pattern }),
          ...(before === undefined ? {} : { before }),
          reach: context.reach,
          limit: limit + 1,
        }),
      );
      const items = rows.slice(0, limit).map((row) => toBatch(row, clock.now()));
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: cursors.encode(scope, [last.id]) } : { items };
    },

    async readBatch(context, { batch }) {
      const row = await inWorkspace(parts, context, (transaction) => readBatch(transaction, batch));
      if (!row) throw notFound();
      return toBatch(row, clock.now());
    },

    /** Errors: `not_found`, `batch_finished`; so too the next two. */
    pauseBatch: (context, input) => pauseBatch(parts, context, input),
    resumeBatch: (context, input) => resumeBatch(parts, context, input),
    /** Runs under way are broken off after the answer. */
    cancelBatch: (context, input) => cancelBatch(parts, context, input),

    /** Bytes go to the context's sink, as base64. Errors: `not_found`. */
    readBatchResults: (context, input) => sendResults(parts, context, input),

    async listBatchErrors(context, input) {
      await parts.vault.ready(context.workspace);
      return listBatchErrors(parts, context, input);
    },
  };
}
