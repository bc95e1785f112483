import type { Transaction } from '#platform/database/database.ts';

/** Ids of workspaces of an account that it may enter when this provider vouched for it, or none; for the role `platform`. */
export async function listOpenWorkspaces(
  transaction: Transaction,
  account: string,
  provider: string | null,
): Promise<string[]> {
  const rows = await transaction.query<{ workspace: string }>(
    `select m.workspace from identity.member as m join identity.account as a on a.id = m.account
       left join lateral (
         select array_agg(id) as only_by from identity.identity_provider
          where workspace = m.workspace and sso_only and lower(split_part(a.email, '@', 2)) = any(email_domains)
       ) as p on true
      where m.account = $1 and m.removed_at is null and (p.only_by is null or $2::uuid = any(p.only_by))
      order by m.workspace limit 100`,
    [account, provider],
  );
  return rows.map((row) => row.workspace);
}
