import type { Transaction } from '#platform/database/database.ts';
import { auditTime } from '#platform/unsealed-audit.ts';
import { type ChainHead, chainStart, type SealedRow } from './chain-entry.ts';

interface StoredRow extends Omit<SealedRow, 'seq'> {
  readonly seq: string;
}

const columns = `workspace, seq, id, ${auditTime('at')} as at, service, actor_kind, actor_id, actor_account, auth, action, subject,
  outcome, before, after, address, request_id, reason, details, previous, hash`;

const toSealed = (row: StoredRow): SealedRow => ({ ...row, seq: Number(row.seq) });

/** The ends of these chains, from the entries themselves. */
export async function readHeads(
  transaction: Transaction,
  workspaces: readonly string[],
): Promise<Map<string, ChainHead>> {
  const rows = await transaction.query<{ workspace: string; seq: string; hash: Buffer }>(
    `select w.workspace, last.seq, last.hash from unnest($1::uuid[]) as w (workspace)
       join lateral (
         select e.seq, e.hash from identity.audit_entry as e where e.workspace = w.workspace order by e.seq desc limit 1
       ) as last on true`,
    [workspaces],
  );
  const heads = new Map(workspaces.map((workspace) => [workspace, chainStart]));
  for (const { workspace, seq, hash } of rows) heads.set(workspace, { seq: Number(seq), hash });
  return heads;
}

/** How far these chains had been counted; the entries must not be behind that. */
export async function readCounted(
  transaction: Transaction,
  workspaces: readonly string[],
): Promise<Map<string, number>> {
  const rows = await transaction.query<{ workspace: string; seq: string }>(
    'select workspace, seq from identity.audit_head where workspace = any($1::uuid[])',
    [workspaces],
  );
  return new Map(rows.map(({ workspace, seq }) => [workspace, Number(seq)]));
}

export async function readLastPosition(transaction: Transaction): Promise<number> {
  const [row] = await transaction.query<{ last: string | null }>(
    'select max(position) as last from identity.audit_entry',
  );
  return Number(row?.last ?? 0);
}

/** Ids of rows that are in the chain already. */
export async function findSealed(transaction: Transaction, ids: readonly string[]): Promise<Set<string>> {
  const rows = await transaction.query<{ id: string }>(
    'select id from identity.audit_entry where id = any($1::uuid[])',
    [ids],
  );
  return new Set(rows.map(({ id }) => id));
}

export async function insertEntries(
  transaction: Transaction,
  entries: readonly (SealedRow & { readonly position: number })[],
): Promise<void> {
  const rows = entries.map((entry) => ({
    ...entry,
    previous: entry.previous.toString('hex'),
    hash: entry.hash.toString('hex'),
  }));
  await transaction.query(
    `insert into identity.audit_entry (workspace, seq, position, id, at, service, actor_kind, actor_id, actor_account, auth,
        action, subject, outcome, before, after, address, request_id, reason, details, previous, hash)
     select workspace, seq, position, id, at, service, actor_kind, actor_id, actor_account, auth, action, subject, outcome,
            before, after, address, request_id, reason, details, decode(previous, 'hex'), decode(hash, 'hex')
       from json_to_recordset($1) as given(workspace uuid, seq bigint, position bigint, id uuid, at timestamptz, service text,
            actor_kind text, actor_id text, actor_account uuid, auth text, action text, subject text, outcome text,
            before text, after text, address text, request_id text, reason text, details jsonb, previous text, hash text)`,
    [JSON.stringify(rows)],
  );
}

export async function noteHeads(
  transaction: Transaction,
  heads: readonly { readonly workspace: string; readonly seq: number }[],
  now: number,
): Promise<void> {
  await transaction.query(
    `insert into identity.audit_head (workspace, seq, sealed_at, open_since)
     select workspace, seq, $2, $2 from json_to_recordset($1) as given(workspace uuid, seq bigint)
     on conflict (workspace) do update
       set seq = excluded.seq, sealed_at = excluded.sealed_at,
           open_since = coalesce(audit_head.open_since, excluded.open_since)`,
    [JSON.stringify(heads), new Date(now)],
  );
}

export interface EntryFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  readonly outcome?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Entries of the transaction's workspace, newest first. */
export async function listEntries(
  transaction: Transaction,
  filter: EntryFilter,
  page: { before: string | null; limit: number },
): Promise<SealedRow[]> {
  // Behind every text with this beginning, in the order of bytes.
  const beyond = filter.subject === undefined ? null : `${filter.subject}\u{10ffff}`;
  const rows = await transaction.query<StoredRow>(
    `select ${columns} from identity.audit_entry
      where ($1::bigint is null or seq < $1) and ($3::text is null or actor_id = $3 or actor_account = $10::uuid)
        and ($4::text is null or action = $4) and ($5::text is null or (subject >= $5 and subject < $6))
        and ($7::text is null or outcome = $7) and ($8::timestamptz is null or at >= $8)
        and ($9::timestamptz is null or at < $9)
      order by seq desc limit $2`,
    [
      page.before,
      page.limit,
      filter.actor ?? null,
      filter.action ?? null,
      filter.subject ?? null,
      beyond,
      filter.outcome ?? null,
      filter.since ?? null,
      filter.until ?? null,
      uuid.test(filter.actor ?? '') ? filter.actor : null,
    ],
  );
  return rows.map(toSealed);
}

/** The part of the chain that holds every entry of a period: times go up and down a little along it. */
export async function findPeriod(
  transaction: Transaction,
  since: string | null,
  until: string | null,
): Promise<{ first: number; last: number } | undefined> {
  const [row] = await transaction.query<{ first: string | null; last: string | null }>(
    `select min(seq) as first, max(seq) as last from identity.audit_entry
      where ($1::timestamptz is null or at >= $1) and ($2::timestamptz is null or at < $2)`,
    [since, until],
  );
  if (!row || row.first === null || row.last === null) return undefined;
  return { first: Number(row.first), last: Number(row.last) };
}

/** Entries of the transaction's workspace after one, oldest first. */
export async function readEntries(
  transaction: Transaction,
  { after, last, limit }: { after: number; last: number; limit: number },
): Promise<SealedRow[]> {
  const rows = await transaction.query<StoredRow>(
    `select ${columns} from identity.audit_entry where seq > $1 and seq <= $2 order by seq limit $3`,
    [after, last, limit],
  );
  return rows.map(toSealed);
}

/** Entries of all workspaces after a position, as they were sealed. */
export async function readOnward(
  transaction: Transaction,
  position: number,
  limit: number,
): Promise<(SealedRow & { readonly position: string })[]> {
  const rows = await transaction.query<StoredRow & { position: string }>(
    `select position, ${columns} from identity.audit_entry where position > $1 order by position limit $2`,
    [position, limit],
  );
  return rows.map((row) => ({ ...toSealed(row), position: row.position }));
}

export async function readSealedState(
  transaction: Transaction,
): Promise<{ seq: number; sealed_at: Date; signed_seq: number } | undefined> {
  const [row] = await transaction.query<{ seq: string; sealed_at: Date; signed_seq: string }>(
    'select seq, sealed_at, signed_seq from identity.audit_head',
  );
  return row && { seq: Number(row.seq), sealed_at: row.sealed_at, signed_seq: Number(row.signed_seq) };
}
