import type { Erasure } from '@damask/contracts/privacy.ts';
import type { Transaction } from '#platform/database/database.ts';

/** What an erasure has removed so far. */
export type ErasedCounts = Erasure['removed'] & Pick<Erasure, 'cancelled'>;

export const nothingErased: ErasedCounts = {
  ...{ runs: 0, steps: 0, pieces: 0, turns: 0, batch_lines: 0, timers: 0, keys: 0 },
  cancelled: 0,
};

interface ErasureRow {
  readonly id: string;
  readonly subject: string | null;
  readonly state: Erasure['state'];
  readonly hold: string | null;
  readonly counts: Partial<ErasedCounts>;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  /** Milliseconds since it began. */
  readonly age: number;
}

const columns = `id, subject, state, hold, counts, started_at, finished_at,
  extract(epoch from now() - started_at)::float8 * 1000 as age`;

export async function findRunning(transaction: Transaction, subject: string): Promise<ErasureRow | undefined> {
  const [row] = await transaction.query<ErasureRow>(`select ${columns} from pattern.erasure where subject = $1`, [
    subject,
  ]);
  return row;
}

export async function insertErasure(transaction: Transaction, workspace: string, id: string, subject: string) {
  await transaction.query(
    `insert into pattern.erasure (workspace, id, subject, state) values ($1, $2, $3, 'running')`,
    [workspace, id, subject],
  );
}

export async function readErasure(transaction: Transaction, id: string): Promise<ErasureRow | undefined> {
  const [row] = await transaction.query<ErasureRow>(`select ${columns} from pattern.erasure where id = $1`, [id]);
  return row;
}

/** Newest first. */
export function listErasures(
  transaction: Transaction,
  page: { readonly before: string | null; readonly limit: number },
): Promise<ErasureRow[]> {
  return transaction.query<ErasureRow>(
    `select ${columns} from pattern.erasure where ($1::uuid is null or id < $1) order by id desc limit $2`,
    [page.before, page.limit],
  );
}

export function toErasure({ id, state, hold, counts, started_at, finished_at }: ErasureRow): Erasure {
  const { cancelled, ...removed } = { ...nothingErased, ...counts };
  return {
    ...{ id, state, hold, removed, cancelled },
    started_at: started_at.toISOString(),
    finished_at: finished_at?.toISOString() ?? null,
  };
}

/** Adds to what it has removed, in the transaction that removes it. */
export async function addCounts(transaction: Transaction, id: string, more: Partial<ErasedCounts>): Promise<void> {
  const row = await readErasure(transaction, id);
  const counts: Record<string, number> = { ...row?.counts };
  for (const [name, count] of Object.entries(more)) counts[name] = (counts[name] ?? 0) + count;
  await transaction.query('update pattern.erasure set counts = $2 where id = $1', [id, JSON.stringify(counts)]);
}

/** Once: runs that are being cancelled are seen again in the next round. */
export async function noteCancelled(transaction: Transaction, id: string, cancelled: number): Promise<void> {
  const row = await readErasure(transaction, id);
  if (row && row.counts.cancelled === undefined) await addCounts(transaction, id, { cancelled });
}

/** A hold on the subject, or on a run of it. */
export async function findHoldOn(
  transaction: Transaction,
  workspace: string,
  subject: string,
): Promise<{ readonly name: string; readonly reason: string } | undefined> {
  const covered = (
    table: string,
  ) => `exists (select from pattern.${table} as r where r.workspace = $1 and r.subject = $2
    and (h.pattern is null or r.pattern = h.pattern) and (h.since is null or r.accepted_at >= h.since)
    and (h.until is null or r.accepted_at < h.until))`;
  // One on the subject alone holds whatever comes, too.
  const [row] = await transaction.query<{ name: string; reason: string }>(
    `select name, reason from pattern.legal_hold as h where workspace = $1 and (subject is null or subject = $2)
        and ((subject is not null and pattern is null and since is null and until is null)
          or ${covered('finished')} or ${covered('accepted')}) order by name limit 1`,
    [workspace, subject],
  );
  return row;
}

export async function endErasure(
  transaction: Transaction,
  id: string,
  state: 'done' | 'held',
  hold: string | null,
): Promise<void> {
  await transaction.query(
    'update pattern.erasure set state = $2, hold = $3, subject = null, finished_at = now() where id = $1',
    [id, state, hold],
  );
}

/** Subjects of the workspace that are being erased. */
export async function listRunning(transaction: Transaction): Promise<string[]> {
  const rows = await transaction.query<{ subject: string }>(
    'select subject from pattern.erasure where subject is not null limit 10000',
  );
  return rows.map(({ subject }) => subject);
}
