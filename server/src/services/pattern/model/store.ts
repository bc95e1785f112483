import type { ModelOffer, ProviderLimits, ProviderProtocol } from '@damask/contracts/model.ts';
import type { Database, Transaction } from '#platform/database/database.ts';

export interface ProviderRow {
  readonly workspace: string;
  readonly name: string;
  readonly protocol: ProviderProtocol;
  readonly base_url: string;
  readonly api_version: string | null;
  /** Sealed. */
  readonly api_key: Buffer | null;
  readonly models: readonly ModelOffer[];
  readonly offered: readonly string[] | null;
  readonly limits: Partial<ProviderLimits>;
  readonly fallbacks: readonly string[];
  readonly updated_at: Date;
  /** Another one after each change. */
  readonly revision: string;
}

const columns = `workspace, name, protocol, base_url, api_version, api_key, models, offered, limits, fallbacks, updated_at,
  xmin::text as revision`;

export async function readProvider(transaction: Transaction, name: string): Promise<ProviderRow | undefined> {
  const [row] = await transaction.query<ProviderRow>(
    `select ${columns} from pattern.provider where name = $1 for update`,
    [name],
  );
  return row;
}

export function listProviders(transaction: Transaction): Promise<ProviderRow[]> {
  return transaction.query<ProviderRow>(`select ${columns} from pattern.provider order by name limit 200`);
}

export async function saveProvider(
  transaction: Transaction,
  row: Omit<ProviderRow, 'updated_at' | 'revision'>,
): Promise<ProviderRow> {
  const [saved] = await transaction.query<ProviderRow>(
    `insert into pattern.provider
       (workspace, name, protocol, base_url, api_version, api_key, models, offered, limits, fallbacks)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (workspace, name) do update
       set protocol = excluded.protocol, base_url = excluded.base_url, api_version = excluded.api_version,
           api_key = excluded.api_key, models = excluded.models, offered = excluded.offered, limits = excluded.limits,
           fallbacks = excluded.fallbacks, updated_at = now()
     returning ${columns}`,
    [
      row.workspace,
      row.name,
      row.protocol,
      row.base_url,
      row.api_version,
      row.api_key,
      JSON.stringify(row.models),
      row.offered === null ? null : JSON.stringify(row.offered),
      JSON.stringify(row.limits),
      JSON.stringify(row.fallbacks),
    ],
  );
  return saved as ProviderRow;
}

/** Keeps what a provider said that it has; false when it is gone or its address is another by now. */
export async function saveOffered(
  transaction: Transaction,
  provider: { readonly name: string; readonly base_url: string },
  offered: readonly string[],
): Promise<boolean> {
  const rows = await transaction.query(
    `update pattern.provider set offered = $3 where name = $1 and base_url = $2 and offered is distinct from $3
     returning name`,
    [provider.name, provider.base_url, JSON.stringify(offered)],
  );
  return rows.length > 0;
}

/** Providers of the workspace, counted as far as `most`. */
export async function countProviders(transaction: Transaction, most: number): Promise<number> {
  const [row] = await transaction.query<{ count: number }>(
    'select count(*)::int as count from (select from pattern.provider limit $1) as counted',
    [most],
  );
  return row?.count ?? 0;
}

export async function deleteProvider(transaction: Transaction, name: string): Promise<void> {
  await transaction.query('delete from pattern.provider where name = $1', [name]);
}

/** All providers of all workspaces, for the table in memory; keys stay sealed. */
export function loadProviders(database: Database): Promise<ProviderRow[]> {
  return database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query<ProviderRow>(`select ${columns} from pattern.provider order by workspace, name limit 100000`),
  );
}
