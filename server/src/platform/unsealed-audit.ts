import type { Transaction } from './database/database.ts';

/** A row of a service's audit table, on its way into the chain. */
export interface UnsealedRow {
  readonly xact: string;
  readonly service: string;
  readonly workspace: string;
  readonly id: string;
  /** RFC 3339 with microseconds, UTC. */
  readonly at: string;
  readonly actor_kind: string;
  readonly actor_id: string;
  readonly actor_account: string | null;
  readonly auth: string | null;
  readonly action: string;
  readonly subject: string;
  readonly outcome: 'done' | 'refused';
  readonly before: string | null;
  readonly after: string | null;
  readonly address: string | null;
  readonly request_id: string;
  readonly reason: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

const consumer = 'identity.audit';
// A restore may have moved numbers of transactions below zero.
const start = { xact: '-9223372036854775808', id: '00000000-0000-0000-0000-000000000000' };

/** How times are written in the chain, to the microsecond, whatever the session's settings are. */
export const auditTime = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/**
 * Rows that are committed and not in the chain yet, in the order of commits over all services, `most` of each. Only those
 * of transactions below the oldest running one: what commits later always sorts behind. Needs the role `platform`.
 */
export async function readUnsealed(
  transaction: Transaction,
  services: readonly string[],
  most: number,
): Promise<UnsealedRow[]> {
  const all: UnsealedRow[] = [];
  let bound: UnsealedRow | undefined;
  for (const service of services) {
    const { xact, id } = await readPosition(transaction, service);
    const rows = await transaction.query<UnsealedRow>(
      `select xact::text, '${service}' as service, workspace, id, ${auditTime('at')} as at, actor_kind, actor_id,
              actor_account, auth, action, subject, outcome, before, after, address, request_id, reason, details
         from ${service}.audit
        where (xact, id) > ($1::bigint, $2::uuid)
          and xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        order by xact, id limit ${most}`,
      [xact, id],
    );
    all.push(...rows);
    const last = rows.at(-1);
    // What comes behind the end of a full page has to wait for the rows that the page left out.
    if (rows.length === most && last && (!bound || inOrder(last, bound) < 0)) bound = last;
  }
  all.sort(inOrder);
  return bound ? all.filter((row) => inOrder(row, bound) <= 0) : all;
}

/** The next pass goes on behind these rows. In the transaction that seals them. */
export async function saveUnsealedPosition(transaction: Transaction, rows: readonly UnsealedRow[]): Promise<void> {
  const last = new Map(rows.map((row) => [row.service, row]));
  for (const [service, { xact, id }] of last) {
    await transaction.query(
      `insert into platform.cursor (consumer, source, xact, id) values ($1, $2, $3, $4)
       on conflict (consumer, source) do update set xact = excluded.xact, id = excluded.id`,
      [consumer, service, xact, id],
    );
  }
}

/** Rows of a workspace that are not in the chain yet; counts no further than `most`. */
export async function countUnsealed(
  transaction: Transaction,
  services: readonly string[],
  workspace: string,
  most: number,
): Promise<number> {
  let sum = 0;
  for (const service of services) {
    const { xact, id } = await readPosition(transaction, service);
    const [row] = await transaction.query<{ count: number }>(
      `select count(*)::int as count from (
         select from ${service}.audit where (xact, id) > ($1::bigint, $2::uuid) and workspace = $3 limit ${most}
       ) as waiting`,
      [xact, id, workspace],
    );
    sum += row?.count ?? 0;
  }
  return Math.min(sum, most);
}

async function readPosition(transaction: Transaction, service: string) {
  const [saved] = await transaction.query<{ xact: string; id: string }>(
    'select xact::text, id from platform.cursor where consumer = $1 and source = $2',
    [consumer, service],
  );
  return saved ?? start;
}

function inOrder(a: Pick<UnsealedRow, 'xact' | 'id'>, b: Pick<UnsealedRow, 'xact' | 'id'>): number {
  const before = BigInt(a.xact) - BigInt(b.xact);
  if (before !== 0n) return before < 0n ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
