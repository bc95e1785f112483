import type { Database, Transaction } from '#platform/database/database.ts';

/** Who owns a key: HMACs of the key and of the request that brought it, and the run that answers it. */
export interface ClaimRow {
  readonly workspace: string;
  readonly operation: string;
  readonly key: Buffer;
  readonly request: Buffer;
  readonly run: string;
}

export type ClaimOwner = Pick<ClaimRow, 'request' | 'run'>;

/**
 * Claims what is free; answers the runs that got their key. Waits for claims of the same keys that other transactions are
 * making: all of them in the order of the keys, so that none waits for one that waits for it.
 */
export async function insertClaims(transaction: Transaction, claims: readonly ClaimRow[]): Promise<Set<string>> {
  const rows = await transaction.query<{ run: string }>(
    `insert into pattern.claim (workspace, operation, key, request, run)
     select * from unnest($1::uuid[], $2::text[], $3::bytea[], $4::bytea[], $5::uuid[])
       as given(workspace, operation, key, request, run) order by operation, key
     on conflict do nothing returning run`,
    [
      claims.map(({ workspace }) => workspace),
      claims.map(({ operation }) => operation),
      claims.map(({ key }) => key),
      claims.map(({ request }) => request),
      claims.map(({ run }) => run),
    ],
  );
  return new Set(rows.map(({ run }) => run));
}

/** Who has these keys, in the transaction's workspace. */
export async function readClaims<Asked extends Pick<ClaimRow, 'operation' | 'key'>>(
  transaction: Transaction,
  asked: readonly Asked[],
): Promise<Map<Asked, ClaimOwner>> {
  const rows = await transaction.query<{ at: number; request: Buffer; run: string }>(
    `select given.at::int, c.request, c.run
       from unnest($1::text[], $2::bytea[]) with ordinality as given(operation, key, at)
       join pattern.claim as c on c.operation = given.operation and c.key = given.key`,
    [asked.map(({ operation }) => operation), asked.map(({ key }) => key)],
  );
  return new Map(rows.map(({ at, request, run }) => [asked[at - 1] as Asked, { request, run }]));
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
