import type { Transaction } from '#platform/database/database.ts';

/** The identity provider that a login session began with; outside of any workspace. */
export async function findProviderOf(transaction: Transaction, session: string): Promise<string | null> {
  const [row] = await transaction.query<{ provider: string | null }>(
    'select provider from identity.login_session where id = $1',
    [session],
  );
  return row?.provider ?? null;
}
