import type { Strategy } from '@damask/contracts/strategy.ts';
import type { Transaction } from '#platform/database/database.ts';
import { type ExistingPattern, toUpstream, type UpstreamColumns } from './pattern-store.ts';
import { writeRows } from './write-rows.ts';

interface StrategyRow extends Omit<Strategy, 'updated_at'> {
  readonly updated_at: Date;
}

/** A strategy as it enters the database. Without an upstream it keeps the one that it has. */
export interface NewStrategy {
  readonly workspace: string;
  readonly name: string;
  readonly description: string;
  readonly prompt: string;
  readonly digest: string;
  readonly upstream_kind: 'starter' | 'import' | null;
  readonly upstream_digest: string | null;
  /** RFC 3339. */
  readonly updated_at: string;
}

const selectStrategy = 'select name, description, prompt, updated_at from pattern.strategy where deleted_at is null';

export async function findStrategy(transaction: Transaction, name: string): Promise<Strategy | undefined> {
  const [row] = await transaction.query<StrategyRow>(`${selectStrategy} and name = $1`, [name]);
  return row && toStrategy(row);
}

/** By name. */
export async function listStrategies(
  transaction: Transaction,
  page: { readonly after: string | null; readonly limit: number },
): Promise<Strategy[]> {
  const rows = await transaction.query<StrategyRow>(
    `${selectStrategy} and ($1::text is null or name > $1) order by name limit $2`,
    [page.after, page.limit],
  );
  return rows.map(toStrategy);
}

/** What an import needs to know of the living strategies of these names; locked. */
export async function lockStrategies(
  transaction: Transaction,
  names: readonly string[],
): Promise<Map<string, ExistingPattern>> {
  const rows = await transaction.query<{ name: string; digest: string } & UpstreamColumns>(
    `select name, digest, upstream_kind, upstream_digest from pattern.strategy
      where deleted_at is null and name = any($1) order by name for update`,
    [names],
  );
  return new Map(rows.map(({ name, digest, ...row }) => [name, { digest, upstream: toUpstream(row) }]));
}

/** Creates, replaces or brings back. */
export function putStrategies(transaction: Transaction, strategies: Iterable<NewStrategy>): Promise<void> {
  return writeRows(
    transaction,
    `insert into pattern.strategy as s
        (workspace, name, description, prompt, digest, upstream_kind, upstream_digest, updated_at)
     select * from json_to_recordset($1) as given(workspace uuid, name text, description text, prompt text, digest text,
       upstream_kind text, upstream_digest text, updated_at timestamptz)
     on conflict (workspace, name) do update set description = excluded.description, prompt = excluded.prompt,
       digest = excluded.digest, updated_at = excluded.updated_at, deleted_at = null,
       upstream_kind = coalesce(excluded.upstream_kind, s.upstream_kind),
       upstream_digest = coalesce(excluded.upstream_digest, s.upstream_digest)`,
    strategies,
  );
}

/** Remembers what came from outside where the strategy itself stayed as it is. */
export function noteStrategyUpstream(
  transaction: Transaction,
  strategies: Iterable<{ readonly name: string; readonly kind: 'starter' | 'import'; readonly digest: string }>,
): Promise<void> {
  return writeRows(
    transaction,
    `update pattern.strategy as s set upstream_kind = given.kind, upstream_digest = given.digest
       from json_to_recordset($1) as given(name text, kind text, digest text) where s.name = given.name`,
    strategies,
  );
}

/** False when there is none, or not any more. */
export async function buryStrategy(transaction: Transaction, name: string, at: Date): Promise<boolean> {
  const rows = await transaction.query(
    `update pattern.strategy set deleted_at = $2, updated_at = $2 where name = $1 and deleted_at is null returning name`,
    [name, at],
  );
  return rows.length > 0;
}

function toStrategy(row: StrategyRow): Strategy {
  return { ...row, updated_at: row.updated_at.toISOString() };
}
