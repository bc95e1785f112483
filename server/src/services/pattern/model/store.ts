import type { ModelOffer } from '@damask/contracts/model.ts';
import type { Database, Transaction } from '#platform/database/database.ts';

export interface ProviderRow {
  readonly workspace: string;
  readonly name: string;
  readonly base_url: string;
  /** Sealed. */
  readonly api_key: Buffer | null;
  readonly models: readonly ModelOffer[];
  readonly updated_at: Date;
}

const columns = 'workspace, name, base_url, api_key, models, updated_at';

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
  row: Omit<ProviderRow, 'updated_at'>,
): Promise<ProviderRow> {
  const [saved] = await transaction.query<ProviderRow>(
    `insert into pattern.provider (workspace, name, base_url, api_key, models) values ($1, $2, $3, $4, $5)
     on conflict (workspace, name) do update
       set base_url = excluded.base_url, api_key = excluded.api_key, models = excluded.models, updated_at = now()
     returning ${columns}`,
    [row.workspace, row.name, row.base_url, row.api_key, JSON.stringify(row.models)],
  );
  return saved as ProviderRow;
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
