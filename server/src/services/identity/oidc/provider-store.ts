import type { IdentityProvider, TokenIssuerRow } from '@damask/contracts/identity-provider.ts';
import type { Transaction } from '#platform/database/database.ts';

/** An identity provider as it is stored. */
export interface ProviderRow
  extends Omit<IdentityProvider, 'has_secret' | 'login_url' | 'redirect_uri' | 'updated_at'> {
  readonly workspace: string;
  /** Sealed. */
  readonly client_secret: Buffer | null;
  readonly updated_at: Date;
}

const columns = `workspace, name, id, issuer, client_id, client_secret, algorithm, scopes, groups_claim, roles,
  default_role, email_domains, sso_only, audience, machines, updated_at`;

/** By name, in the workspace of the transaction. Locks the row. */
export async function findProvider(transaction: Transaction, name: string): Promise<ProviderRow | undefined> {
  const [row] = await transaction.query<ProviderRow>(
    `select ${columns} from identity.identity_provider where name = $1 for update`,
    [name],
  );
  return row;
}

/** By id, whatever its workspace is: for the role `platform`. */
export async function findAnyProvider(transaction: Transaction, id: string): Promise<ProviderRow | undefined> {
  const [row] = await transaction.query<ProviderRow>(
    `select ${columns} from identity.identity_provider where id = $1`,
    [id],
  );
  return row;
}

export function listProviders(
  transaction: Transaction,
  page: { after: string | null; limit: number },
): Promise<ProviderRow[]> {
  return transaction.query<ProviderRow>(
    `select ${columns} from identity.identity_provider where $1::text is null or name > $1 order by name limit $2`,
    [page.after, page.limit],
  );
}

/** Providers of the workspace, counted as far as `most`. */
export async function countProviders(transaction: Transaction, most: number): Promise<number> {
  const [row] = await transaction.query<{ count: number }>(
    'select count(*)::int as count from (select from identity.identity_provider limit $1) as counted',
    [most],
  );
  return row?.count ?? 0;
}

export async function saveProvider(transaction: Transaction, row: ProviderRow): Promise<ProviderRow> {
  const [saved] = await transaction.query<ProviderRow>(
    `insert into identity.identity_provider (${columns})
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
     on conflict (workspace, name) do update
       set issuer = excluded.issuer, client_id = excluded.client_id, client_secret = excluded.client_secret,
           algorithm = excluded.algorithm, scopes = excluded.scopes, groups_claim = excluded.groups_claim,
           roles = excluded.roles, default_role = excluded.default_role, email_domains = excluded.email_domains,
           sso_only = excluded.sso_only, audience = excluded.audience, machines = excluded.machines,
           updated_at = excluded.updated_at
     returning ${columns}`,
    [
      row.workspace,
      row.name,
      row.id,
      row.issuer,
      row.client_id,
      row.client_secret,
      row.algorithm,
      row.scopes,
      row.groups_claim,
      JSON.stringify(row.roles),
      row.default_role,
      row.email_domains,
      row.sso_only,
      row.audience,
      JSON.stringify(row.machines),
      row.updated_at,
    ],
  );
  return saved as ProviderRow;
}

export async function removeProvider(transaction: Transaction, name: string): Promise<void> {
  await transaction.query('delete from identity.identity_provider where name = $1', [name]);
}

/** Providers of all workspaces that take tokens of machines, for the role `platform`. */
export async function readTokenIssuerRows(
  transaction: Transaction,
  page: { after: string | null; limit: number },
): Promise<TokenIssuerRow[]> {
  const rows = await transaction.query<Omit<TokenIssuerRow, 'updated_at'> & { updated_at: Date }>(
    `select workspace, id, issuer, updated_at from identity.identity_provider
      where audience is not null and machines <> '[]' and ($1::uuid is null or id > $1) order by id limit $2`,
    [page.after, page.limit],
  );
  return rows.map((row) => ({ ...row, updated_at: row.updated_at.toISOString() }));
}
