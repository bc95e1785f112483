import type { Transaction } from '#platform/database/database.ts';

export interface DueHead {
  readonly workspace: string;
  readonly seq: number;
}

interface DueRow {
  readonly workspace: string;
  readonly seq: string;
}

const toDue = ({ workspace, seq }: DueRow): DueHead => ({ workspace, seq: Number(seq) });

/** Chains that have `entries` without a checkpoint, or one since before `before`. */
export async function listUnsigned(
  transaction: Transaction,
  due: { readonly entries: number; readonly before: number; readonly limit: number },
): Promise<DueHead[]> {
  const rows = await transaction.query<DueRow>(
    `select workspace, seq from identity.audit_head
      where open_since is not null and (seq - signed_seq >= $1 or open_since <= $2) order by open_since limit $3`,
    [due.entries, new Date(due.before), due.limit],
  );
  return rows.map(toDue);
}

/** Chains that grew since they were last counted, if that was before `before`. */
export async function listUncounted(
  transaction: Transaction,
  due: { readonly before: number; readonly limit: number },
): Promise<DueHead[]> {
  const rows = await transaction.query<DueRow>(
    `select workspace, seq from identity.audit_head
      where open_since is not null and seq > counted_seq and (counted_at is null or counted_at <= $1)
      order by open_since limit $2`,
    [new Date(due.before), due.limit],
  );
  return rows.map(toDue);
}

/** The body of the newest checkpoint of a chain. */
export async function readLastBody(transaction: Transaction, workspace: string): Promise<string | undefined> {
  const [row] = await transaction.query<{ body: string }>(
    `select body from identity.audit_checkpoint where workspace = $1 order by seq desc, id desc limit 1`,
    [workspace],
  );
  return row?.body;
}

export interface NewCheckpoint {
  readonly workspace: string;
  readonly id: string;
  readonly seq: number;
  readonly body: string;
  readonly key: string;
  readonly signature: string;
}

export async function insertCheckpoint(transaction: Transaction, checkpoint: NewCheckpoint): Promise<void> {
  const { workspace, id, seq, body, key, signature } = checkpoint;
  await transaction.query(
    `insert into identity.audit_checkpoint (workspace, id, position, seq, body, key, signature)
     select $1, $2, coalesce(max(position), 0) + 1, $3, $4, $5, $6 from identity.audit_checkpoint`,
    [workspace, id, seq, body, key, signature],
  );
}

/** Nothing is open any more, unless entries came meanwhile: those count from now. */
export async function markSigned(transaction: Transaction, { workspace, seq }: DueHead, now: number): Promise<void> {
  await transaction.query(
    `update identity.audit_head
        set signed_seq = $2, counted_seq = greatest(counted_seq, $2), counted_at = $3,
            open_since = case when seq > $2 then $3::timestamptz end
      where workspace = $1`,
    [workspace, seq, new Date(now)],
  );
}

export async function markCounted(transaction: Transaction, { workspace, seq }: DueHead, now: number): Promise<void> {
  await transaction.query('update identity.audit_head set counted_seq = $2, counted_at = $3 where workspace = $1', [
    workspace,
    seq,
    new Date(now),
  ]);
}

interface StoredCheckpoint {
  readonly id: string;
  readonly workspace: string;
  readonly seq: string;
  readonly position: string;
  readonly body: string;
  readonly key: string;
  readonly signature: string;
}

/** Checkpoints of the transaction's workspace, newest first. */
export function listCheckpoints(
  transaction: Transaction,
  page: { readonly before: readonly string[]; readonly limit: number },
): Promise<StoredCheckpoint[]> {
  const [seq = null, id = null] = page.before;
  return transaction.query<StoredCheckpoint>(
    `select id, workspace, seq, position, body, key, signature from identity.audit_checkpoint
      where $1::bigint is null or (seq, id) < ($1::bigint, $2::uuid) order by seq desc, id desc limit $3`,
    [seq, id, page.limit],
  );
}

/** Checkpoints of all workspaces after a position. */
export function readCheckpointsOnward(
  transaction: Transaction,
  position: number,
  limit: number,
): Promise<StoredCheckpoint[]> {
  return transaction.query<StoredCheckpoint>(
    `select id, workspace, seq, position, body, key, signature from identity.audit_checkpoint
      where position > $1 order by position limit $2`,
    [position, limit],
  );
}
