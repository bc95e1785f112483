import { mostCounted, type Queue } from '@damask/contracts/queue-operations.ts';
import type { Transaction } from '#platform/database/database.ts';

/** What the transaction's workspace has queued, counted up to a bound. */
export async function readQueue(transaction: Transaction): Promise<Queue> {
  const [row] = await transaction.query<Queue>(
    `select count(*) filter (where state = 'queued' and lane = 'interactive')::int as interactive,
        count(*) filter (where state = 'queued' and lane = 'bulk')::int as bulk,
        count(*) filter (where state = 'running')::int as running,
        count(*) filter (where state = 'waiting')::int as waiting,
        (select concurrency from pattern.task_turn) as concurrency
       from (select state, lane from pattern.task limit ${mostCounted}) as counted`,
  );
  return row as Queue;
}

/** False where it is the limit already. */
export async function saveConcurrency(
  transaction: Transaction,
  workspace: string,
  concurrency: number | null,
): Promise<boolean> {
  const rows = await transaction.query(
    `insert into pattern.task_turn as q (workspace, concurrency) values ($1, $2)
     on conflict (workspace) do update set concurrency = excluded.concurrency
       where q.concurrency is distinct from excluded.concurrency
     returning 1`,
    [workspace, concurrency],
  );
  return rows.length > 0;
}
