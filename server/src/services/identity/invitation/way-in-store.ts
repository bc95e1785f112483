import type { Transaction } from '#platform/database/database.ts';

export interface ProviderName {
  readonly id: string;
  readonly name: string;
}

/** Providers of the workspace by name; 50 at most, as many as there may be. */
export function listProviderNames(transaction: Transaction): Promise<ProviderName[]> {
  return transaction.query<ProviderName>('select id, name from identity.identity_provider order by name limit 50');
}

/** The providers that alone let members with this address in. */
export function listOnlyBy(transaction: Transaction, email: string): Promise<ProviderName[]> {
  return transaction.query<ProviderName>(
    `select id, name from identity.identity_provider
      where sso_only and lower(split_part($1, '@', 2)) = any(email_domains) order by name limit 50`,
    [email],
  );
}

/** Whose word an account goes by: issuers of identity providers; outside of any workspace. */
export async function listIssuersOf(transaction: Transaction, account: string): Promise<string[]> {
  const rows = await transaction.query<{ issuer: string }>(
    'select distinct issuer from identity.login_identity where account = $1 order by issuer limit 100',
    [account],
  );
  return rows.map(({ issuer }) => issuer);
}

/** Whether the workspace has a provider of each of these issuers. */
export async function knowsIssuers(transaction: Transaction, issuers: readonly string[]): Promise<boolean> {
  const [row] = await transaction.query<{ known: boolean }>(
    'select $1::text[] <@ coalesce((select array_agg(issuer) from identity.identity_provider), array[]::text[]) as known',
    [issuers],
  );
  return row?.known ?? false;
}
