import type { Database, Transaction } from '#platform/database/database.ts';

/** Who owns a key: HMACs of the key and of the request that brought it, and the run that answers it. */
export interface ClaimRow {
  readonly workspace: string;
  readonly operation: string;
  readonly key: Buffer;
  readonly request: Buffer;
  readonly run: string;
}

/** True when the key was free. Waits for a claim of the same key that another transaction is making. */
export async function insertClaim(transaction: Transaction, claim: ClaimRow): Promise<boolean> {
  const rows = await transaction.query(
    `insert into pattern.claim (workspace, operation, key, request, run) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning run`,
    [claim.workspace, claim.operation, claim.key, claim.request, claim.run],
  );
  return rows.length > 0;
}

/** The claim of a key in the transaction's workspace. */
export async function readClaim(
  transaction: Transaction,
  operation: string,
  key: Buffer,
): Promise<Pick<ClaimRow, 'request' | 'run'> | undefined> {
  const [row] = await transaction.query<Pick<ClaimRow, 'request' | 'run'>>(
    'select request, run from pattern.claim where operation = $1 and key = $2',
    [operation, key],
  );
  return row;
}

/** Forgets claims that are older than `hours`, across workspaces, `limit` at most. Answers how many. */
export function forgetClaims(database: Database, hours: number, limit: number): Promise<number> {
  return database.transaction({ role: 'platform', workspace: null }, async (transaction) => {
    const [row] = await transaction.query<{ count: number }>(
      `with old as (select workspace, operation, key from pattern.claim
          where claimed_at < now() - make_interval(hours => $1) order by claimed_at limit $2),
        gone as (delete from pattern.claim as c using old
          where c.workspace = old.workspace and c.operation = old.operation and c.key = old.key returning 1)
       select count(*)::int as count from gone`,
      [hours, limit],
    );
    return row?.count ?? 0;
  });
}
