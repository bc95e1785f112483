import type { BatchStatus } from '@damask/contracts/batch-operations.ts';
import type { Reach } from '#platform/call.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { BatchRow, BatchSettings } from './batch-record.ts';

const columns = `workspace, id, status, reason, pattern, version, settings, actor, created_at, deadline, started_at, finished_at,
  total, rejected, begun, again, next_line, succeeded, failed, cancelled, shared, input_tokens, output_tokens, cost_micros,
  unpriced, rate, rated_at, rated`;

export interface NewBatch {
  readonly workspace: string;
  readonly id: string;
  readonly process: string;
  readonly pattern: string;
  readonly version: number;
  readonly settings: BatchSettings;
  /** Sealed. */
  readonly plan: Buffer;
  readonly actor: string;
  readonly createdAt: Date;
  readonly deadline: string | null;
}

/** A batch whose lines are still coming: nobody sees it. */
export async function insertReceiving(transaction: Transaction, batch: NewBatch): Promise<void> {
  await transaction.query(
    `insert into pattern.batch (workspace, id, status, process, pattern, version, settings, plan, actor, created_at, ready_at, deadline)
     values ($1, $2, 'receiving', $3, $4, $5, $6, $7, $8, $9, coalesce($10::timestamptz, $9), $11)`,
    [
      batch.workspace,
      batch.id,
      batch.process,
      batch.pattern,
      batch.version,
      JSON.stringify(batch.settings),
      batch.plan,
      batch.actor,
      batch.createdAt,
      batch.settings.start_at,
      batch.deadline,
    ],
  );
}

/** From now on it is seen and run. Undefined: what was received of it is gone. */
export async function openBatch(
  transaction: Transaction,
  id: string,
  counts: { readonly total: number; readonly rejected: number },
): Promise<BatchRow | undefined> {
  const [row] = await transaction.query<BatchRow>(
    `update pattern.batch set status = 'queued', process = null, total = $2, rejected = $3
      where id = $1 and status = 'receiving' returning ${columns}`,
    [id, counts.total, counts.rejected],
  );
  return row && readRow(row);
}

/** Removes a batch with all its lines. */
export async function deleteBatch(transaction: Transaction, id: string): Promise<void> {
  await transaction.query('delete from pattern.batch where id = $1', [id]);
}

export async function readBatch(transaction: Transaction, id: string): Promise<BatchRow | undefined> {
  const [row] = await transaction.query<BatchRow>(
    `select ${columns} from pattern.batch where id = $1 and status <> 'receiving'`,
    [id],
  );
  return row && readRow(row);
}

/** Whether a batch has lines left to be run. */
export async function isOpen(transaction: Transaction, id: string): Promise<boolean> {
  return (await transaction.query('select from pattern.batch where id = $1 and finished_at is null', [id])).length > 0;
}

export interface BatchFilter {
  readonly status?: BatchStatus;
  readonly pattern?: string;
  /** Only what is in the caller's reach. */
  readonly reach: Reach;
  readonly before?: string;
  readonly limit: number;
}

/** Newest first. */
export async function listBatches(transaction: Transaction, filter: BatchFilter): Promise<BatchRow[]> {
  const rows = await transaction.query<BatchRow>(
    `select ${columns} from pattern.batch where status <> 'receiving' and ($1::text is null or status = $1)
        and ($2::text is null or pattern = $2) and ($3::uuid is null or id < $3)
        and ($4::text[] is null or pattern = any($4))
        and ($5::text[] is null or settings->>'environment' = any($5)) order by id desc limit $6`,
    [
      filter.status ?? null,
      filter.pattern ?? null,
      filter.before ?? null,
      filter.reach.patterns,
      filter.reach.environments,
      filter.limit,
    ],
  );
  return rows.map(readRow);
}

export interface LockedBatch extends BatchRow {
  /** Sealed. */
  readonly plan: Buffer;
  readonly ready: boolean;
  readonly late: boolean;
  readonly resumed_at: Date | null;
  /** The database's time. */
  readonly now: string;
}

/** Takes a batch that has not ended for this transaction. `patient`: waits for who has it; else it is passed over. */
export async function lockBatch(
  transaction: Transaction,
  id: string,
  { patient }: { readonly patient: boolean },
): Promise<LockedBatch | undefined> {
  const [row] = await transaction.query<LockedBatch>(
    `select ${columns}, plan, resumed_at, ready_at <= now() as ready, coalesce(deadline <= now(), false) as late, now() as now
       from pattern.batch where id = $1 and status <> 'receiving' for update ${patient ? '' : 'skip locked'}`,
    [id],
  );
  return row && { ...readRow(row), now: toTime(row.now) as string };
}

/** What a round of work changed. */
export type BatchChange = Partial<Omit<BatchRow, 'workspace' | 'id' | 'pattern' | 'version' | 'settings' | 'actor'>> & {
  readonly resumed_at?: string;
};

const changing = new Set(
  'status reason started_at resumed_at finished_at begun again next_line succeeded failed cancelled shared input_tokens output_tokens cost_micros unpriced rate rated_at rated'.split(
    ' ',
  ),
);

export async function updateBatch(transaction: Transaction, id: string, change: BatchChange): Promise<void> {
  const entries = Object.entries(change).filter(([name]) => changing.has(name));
  if (entries.length === 0) return;
  const sets = entries.map(([name], index) => `${name} = $${index + 2}`);
  await transaction.query(`update pattern.batch set ${sets.join(', ')} where id = $1`, [
    id,
    ...entries.map(([, value]) => value),
  ]);
}

/** A batch by its place among those of all workspaces. */
export interface BatchPlace {
  readonly workspace: string;
  readonly id: string;
}

/** Batches that may have work, of all workspaces, after a place. Those that wait for a person are named where `paused` says so. */
export function listActive(
  database: Database,
  {
    paused,
    after,
    limit,
  }: { readonly paused: boolean; readonly after: BatchPlace | undefined; readonly limit: number },
): Promise<BatchPlace[]> {
  return database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query(
      `select workspace, id from pattern.batch where finished_at is null
          and (status in ('running', 'cancelling') or (status = 'queued' and (ready_at <= now() or deadline <= now()))
            or (status = 'paused' and $1))
          and ($2::uuid is null or (workspace, id) > ($2, $3::uuid)) order by workspace, id limit $4`,
      [paused, after?.workspace ?? null, after?.id ?? null, limit],
    ),
  );
}

/** Batches that are being received, across workspaces, and by whom. */
export function listReceiving(
  database: Database,
  limit: number,
): Promise<{ workspace: string; id: string; process: string }[]> {
  return database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query(
      `select workspace, id, process from pattern.batch where finished_at is null and status = 'receiving' limit $1`,
      [limit],
    ),
  );
}

/** Holds back the queued runs of a batch, or lets them go again. */
export async function holdTasks(transaction: Transaction, id: string, hold: boolean): Promise<void> {
  await transaction.query(
    hold
      ? `update pattern.task set ready_at = 'infinity', why = 'paused' where batch = $1 and state = 'queued'`
      : `update pattern.task set ready_at = now(), why = null where batch = $1 and state = 'queued' and why = 'paused'`,
    [id],
  );
}

const numbers = ['input_tokens', 'output_tokens', 'cost_micros'] as const;
const times = ['created_at', 'deadline', 'started_at', 'finished_at', 'rated_at'] as const;

/** The driver gives dates as objects and bigints as text. */
function readRow<Row extends BatchRow>(row: Row): Row {
  const read = { ...row } as Record<string, unknown>;
  for (const name of numbers) read[name] = Number(row[name]);
  for (const name of times) read[name] = toTime(row[name]);
  return read as unknown as Row;
}

const toTime = (value: unknown): string | null => (value === null ? null : new Date(value as string).toISOString());
