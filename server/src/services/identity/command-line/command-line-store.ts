import type { Transaction } from '#platform/database/database.ts';

/** A command line that waits, or was approved. */
export interface WaitingRow {
  readonly id: string;
  readonly challenge: string;
  readonly name: string;
  readonly address: string;
  readonly port: number | null;
  readonly state: string | null;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly account: string | null;
  readonly way: string | null;
  readonly provider: string | null;
  readonly code_hash: string | null;
}

const columns = 'id, challenge, name, address, port, state, created_at, expires_at, account, way, provider, code_hash';

export async function insertWaiting(
  transaction: Transaction,
  row: Pick<WaitingRow, 'id' | 'challenge' | 'name' | 'address' | 'port' | 'state' | 'created_at' | 'expires_at'> & {
    readonly user_code: string;
  },
): Promise<void> {
  await transaction.query(
    `insert into identity.command_line_login
       (id, user_code, challenge, name, address, port, state, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [row.id, row.user_code, row.challenge, row.name, row.address, row.port, row.state, row.created_at, row.expires_at],
  );
}

/** Those of an address that still wait, counted as far as `most`; what is over is deleted. */
export async function countWaiting(
  transaction: Transaction,
  which: { address: string; now: number; most: number },
): Promise<number> {
  await transaction.query(
    `delete from identity.command_line_login where id in
       (select id from identity.command_line_login where expires_at < $1 limit 100 for update skip locked)`,
    [new Date(which.now)],
  );
  const [row] = await transaction.query<{ count: number }>(
    `select count(*)::int as count from
       (select from identity.command_line_login where address = $1 and expires_at > $2 limit $3) as counted`,
    [which.address, new Date(which.now), which.most],
  );
  return row?.count ?? 0;
}

/** One that nobody has approved yet. Locks the row. */
export async function findByUserCode(
  transaction: Transaction,
  userCode: string,
  now: number,
): Promise<WaitingRow | undefined> {
  const [row] = await transaction.query<WaitingRow>(
    `select ${columns} from identity.command_line_login
      where user_code = $1 and expires_at > $2 and account is null for update`,
    [userCode, new Date(now)],
  );
  return row;
}

/** Locks the row. */
export async function findWaiting(transaction: Transaction, id: string, now: number): Promise<WaitingRow | undefined> {
  const [row] = await transaction.query<WaitingRow>(
    `select ${columns} from identity.command_line_login where id = $1 and expires_at > $2 for update`,
    [id, new Date(now)],
  );
  return row;
}

export async function approve(
  transaction: Transaction,
  id: string,
  by: { account: string; way: string; provider: string | null; codeHash: string | null },
): Promise<void> {
  await transaction.query(
    'update identity.command_line_login set account = $2, way = $3, provider = $4, code_hash = $5 where id = $1',
    [id, by.account, by.way, by.provider, by.codeHash],
  );
}

/** False when somebody else was faster. */
export async function removeWaiting(transaction: Transaction, id: string): Promise<boolean> {
  const rows = await transaction.query('delete from identity.command_line_login where id = $1 returning id', [id]);
  return rows.length > 0;
}

/** How a live session of an account began. */
export async function findApprover(
  transaction: Transaction,
  which: { session: string; account: string; now: number },
): Promise<{ kind: 'browser' | 'cli'; way: string; provider: string | null } | undefined> {
  const [row] = await transaction.query<{ kind: 'browser' | 'cli'; way: string; provider: string | null }>(
    `select kind, way, provider from identity.login_session
      where id = $1 and account = $2 and revoked_at is null and expires_at > $3`,
    [which.session, which.account, new Date(which.now)],
  );
  return row;
}
