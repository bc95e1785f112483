import type { KeyTableRow } from '@damask/contracts/api-key.ts';
import type { MemberTableRow } from '@damask/contracts/member.ts';
import type { RoleTableRow } from '@damask/contracts/role.ts';
import type { ServiceAccountTableRow } from '@damask/contracts/service-account.ts';
import type { Transaction } from '#platform/database/database.ts';

/** A page across workspaces, for the role `platform`. Rows come in the order of `after`. */
export interface TablePage {
  readonly after: string | null;
  readonly limit: number;
}

type Nullable<Row> = { [Field in keyof Row]-?: Row[Field] | null };

/** Live keys by id. */
export async function readKeyRows(transaction: Transaction, page: TablePage & { now: number }): Promise<KeyTableRow[]> {
  const rows = await transaction.query<Nullable<Omit<KeyTableRow, 'expires_at'>> & { expires_at: Date | null }>(
    `select id, workspace, name, role, hash, expires_at, scopes, patterns, environments, requests_per_minute, member,
        service_account
       from identity.api_key
      where revoked_at is null and (expires_at is null or expires_at > $3) and ($1::uuid is null or id > $1::uuid)
      order by id limit $2`,
    [page.after, page.limit, new Date(page.now)],
  );
  return rows.map(({ expires_at, ...row }) => ({
    ...withoutNulls<Omit<KeyTableRow, 'expires_at'>>(row),
    expires_at: expires_at?.toISOString() ?? null,
  }));
}

/** Members whose accounts are not disabled, by workspace and account. */
export async function readMemberRows(transaction: Transaction, { after, limit }: TablePage): Promise<MemberTableRow[]> {
  const [workspace = null, account = null] = after?.split('/') ?? [];
  const rows = await transaction.query<Nullable<MemberTableRow>>(
    `select m.workspace, m.account, a.name, m.role, coalesce(t.teams, '{}') as teams, p.only_by
       from identity.member as m join identity.account as a on a.id = m.account
       left join lateral (
         select array_agg(team order by team) as teams from identity.team_member
          where workspace = m.workspace and account = m.account
       ) as t on true
       left join lateral (
         select array_agg(id order by id) as only_by from identity.identity_provider
          where workspace = m.workspace and sso_only and lower(split_part(a.email, '@', 2)) = any(email_domains)
       ) as p on true
      where m.removed_at is null and a.disabled_at is null
        and ($1::uuid is null or (m.workspace, m.account) > ($1::uuid, $2::uuid))
      order by m.workspace, m.account limit $3`,
    [workspace, account, limit],
  );
  return rows.map((row) => withoutNulls<MemberTableRow>(row));
}

/** Roles that workspaces made, by workspace and name. */
export function readRoleRows(transaction: Transaction, { after, limit }: TablePage): Promise<RoleTableRow[]> {
  const [workspace = null, name = null] = after?.split('/') ?? [];
  return transaction.query<RoleTableRow>(
    `select workspace, name, permissions from identity.custom_role
      where $1::uuid is null or (workspace, name collate "C") > ($1::uuid, $2)
      order by workspace, name collate "C" limit $3`,
    [workspace, name, limit],
  );
}

/** Service accounts by workspace and id. */
export function readServiceAccountRows(
  transaction: Transaction,
  { after, limit }: TablePage,
): Promise<ServiceAccountTableRow[]> {
  const [workspace = null, id = null] = after?.split('/') ?? [];
  return transaction.query<ServiceAccountTableRow>(
    `select workspace, id, name, role from identity.service_account
      where $1::uuid is null or (workspace, id) > ($1::uuid, $2::uuid)
      order by workspace, id limit $3`,
    [workspace, id, limit],
  );
}

function withoutNulls<Row>(row: Nullable<Row>): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Row;
}
