import type { queueOperations } from '@damask/contracts/queue-operations.ts';
import type { Implementation } from '#platform/call.ts';
import type { Database } from '#platform/database/database.ts';
import type { Trail } from '#platform/trail.ts';
import { readQueue, saveConcurrency } from './queue-state-store.ts';

export interface QueueOperationParts {
  readonly database: Database;
  readonly trail: Trail;
  /** Another limit may let more runs begin. */
  readonly wake: () => void;
}

/** What is queued in a workspace, and its limit. Inputs are checked and permissions asked for before they come here. */
export function createQueueOperations(parts: QueueOperationParts): Implementation<typeof queueOperations> {
  const { database, trail, wake } = parts;
  return {
    readQueue: ({ workspace }) => database.transaction({ role: 'pattern', workspace }, readQueue),

    /** Can be repeated. Holds from the next claim on; what runs goes on. */
    async putQueue(context, { concurrency }) {
      const { workspace } = context;
      const queue = await database.transaction({ role: 'pattern', workspace }, async (transaction) => {
        if (await saveConcurrency(transaction, workspace, concurrency)) {
          await trail.leave(transaction, context, {
            action: 'putQueue',
            subject: 'queue',
            details: { concurrency },
            event: 'pattern.queue-put',
            data: { concurrency },
          });
        }
        return readQueue(transaction);
      });
      wake();
      return queue;
    },
  };
}
