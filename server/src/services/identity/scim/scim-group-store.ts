import type { RoleRef } from '@damask/contracts/permissions.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { Condition } from './parse-filter.ts';
import { type FilterField, filterSql } from './scim-filter-store.ts';

export interface ScimGroupRow {
  readonly id: string;
  readonly display_name: string;
  readonly external_id: string | null;
  /** The team that it fills. */
  readonly team: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface GroupMember {
  readonly account: string;
  readonly name: string;
}

const columns = 'id, display_name, external_id, team, created_at, updated_at';
const fields: Readonly<Record<string, FilterField>> = {
  id: { sql: 'g.id::text' },
  displayname: { sql: 'g.display_name' },
  externalid: { sql: 'g.external_id', exact: true },
  members: { sql: '', member: 'g.id' },
  'members.value': { sql: '', member: 'g.id' },
};

/** Oldest first. */
export async function listGroups(
  transaction: Transaction,
  page: { conditions: readonly Condition[]; offset: number; limit: number; most: number },
): Promise<{ rows: ScimGroupRow[]; total: number }> {
  const { where, values } = filterSql(page.conditions, fields);
  const [counted] = await transaction.query<{ count: number }>(
    `select count(*)::int as count from (select from identity.scim_group as g where ${where} limit ${page.most}) as found`,
    values,
  );
  const at = values.length;
  const rows = await transaction.query<ScimGroupRow>(
    `select ${columns} from identity.scim_group as g where ${where} order by g.id offset $${at + 1} limit $${at + 2}`,
    [...values, page.offset, page.limit],
  );
  return { rows, total: counted?.count ?? 0 };
}

export async function findGroup(transaction: Transaction, id: string): Promise<ScimGroupRow | undefined> {
  const [row] = await transaction.query<ScimGroupRow>(`select ${columns} from identity.scim_group where id = $1`, [id]);
  return row;
}

/** Whether another group has this name. */
export async function isGroupNameTaken(transaction: Transaction, name: string, but: string | null): Promise<boolean> {
  const rows = await transaction.query(
    'select from identity.scim_group where lower(display_name) = lower($1) and id is distinct from $2::uuid',
    [name, but],
  );
  return rows.length > 0;
}

export async function countGroups(transaction: Transaction, most: number): Promise<number> {
  const rows = await transaction.query('select from identity.scim_group limit $1', [most]);
  return rows.length;
}

export async function saveGroup(
  transaction: Transaction,
  group: { workspace: string; id: string; name: string; externalId: string | null; team: string | null; now: number },
): Promise<void> {
  await transaction.query(
    `insert into identity.scim_group (workspace, id, display_name, external_id, team, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $6)
     on conflict (workspace, id) do update set display_name = excluded.display_name, external_id = excluded.external_id,
       team = excluded.team, updated_at = excluded.updated_at`,
    [group.workspace, group.id, group.name, group.externalId, group.team, new Date(group.now)],
  );
}

/** With its memberships. */
export async function deleteGroup(transaction: Transaction, id: string): Promise<void> {
  await transaction.query('delete from identity.scim_group where id = $1', [id]);
}

export function listGroupMembers(transaction: Transaction, id: string, most: number): Promise<GroupMember[]> {
  return transaction.query<GroupMember>(
    `select gm.account, coalesce(s.user_name, a.name) as name from identity.scim_group_member as gm
       join identity.account as a on a.id = gm.account
       left join identity.scim_user as s on s.workspace = gm.workspace and s.account = gm.account
      where gm.scim_group = $1 order by gm.account limit $2`,
    [id, most],
  );
}

/** Those of the accounts that are people of this workspace, whom the directory did not delete. */
export async function peopleAmong(transaction: Transaction, accounts: readonly string[]): Promise<Set<string>> {
  const rows = await transaction.query<{ account: string }>(
    `select m.account from identity.member as m
       left join identity.scim_user as s on s.workspace = m.workspace and s.account = m.account
      where m.account = any($1) and s.deleted_at is null and (s.account is not null or m.removed_at is null)`,
    [accounts],
  );
  return new Set(rows.map(({ account }) => account));
}

/** Answers whom it was news for. */
export async function addGroupMembers(
  transaction: Transaction,
  group: { workspace: string; id: string; accounts: readonly string[] },
): Promise<string[]> {
  const rows = await transaction.query<{ account: string }>(
    `insert into identity.scim_group_member (workspace, scim_group, account) select $1, $2, unnest($3::uuid[])
     on conflict do nothing returning account`,
    [group.workspace, group.id, group.accounts],
  );
  return rows.map(({ account }) => account);
}

/** Answers who had been in it. */
export async function removeGroupMembers(
  transaction: Transaction,
  id: string,
  accounts: readonly string[],
): Promise<string[]> {
  const rows = await transaction.query<{ account: string }>(
    'delete from identity.scim_group_member where scim_group = $1 and account = any($2) returning account',
    [id, accounts],
  );
  return rows.map(({ account }) => account);
}

/** Members whom the directory made, by account, with all names of their groups. */
export function groupNamesOf(
  transaction: Transaction,
  accounts: readonly string[],
): Promise<{ account: string; role: RoleRef; names: string[] }[]> {
  return transaction.query(
    `select m.account, m.role, coalesce(array_agg(n.name) filter (where n.name is not null), '{}') as names
       from identity.member as m
       left join identity.scim_group_member as gm on gm.workspace = m.workspace and gm.account = m.account
       left join identity.scim_group as g on g.workspace = gm.workspace and g.id = gm.scim_group
       left join lateral unnest(array[g.display_name, g.external_id]) as n (name) on true
      where m.account = any($1) and m.source = 'scim' and m.removed_at is null
      group by m.account, m.role order by m.account`,
    [accounts],
  );
}

/** Puts accounts into the teams of their groups. Answers whether anybody came into one. */
export async function fillTeams(
  transaction: Transaction,
  given: { workspace: string; accounts: readonly string[]; now: number },
): Promise<boolean> {
  const rows = await transaction.query(
    `insert into identity.team_member (workspace, team, account, created_at)
     select distinct $1::uuid, g.team, gm.account, $3::timestamptz from identity.scim_group_member as gm
       join identity.scim_group as g on g.workspace = gm.workspace and g.id = gm.scim_group
       join identity.team as t on t.workspace = g.workspace and t.name = g.team
       join identity.member as m on m.workspace = gm.workspace and m.account = gm.account and m.removed_at is null
      where gm.account = any($2)
     on conflict do nothing returning team`,
    [given.workspace, given.accounts, new Date(given.now)],
  );
  return rows.length > 0;
}

/** Takes accounts out of a team that none of their groups fills any more. Answers whether anybody left it. */
export async function emptyTeam(transaction: Transaction, team: string, accounts: readonly string[]): Promise<boolean> {
  const rows = await transaction.query(
    `delete from identity.team_member as t where t.team = $1 and t.account = any($2) and not exists (
       select from identity.scim_group_member as gm
         join identity.scim_group as g on g.workspace = gm.workspace and g.id = gm.scim_group
        where gm.account = t.account and g.team = t.team) returning t.account`,
    [team, accounts],
  );
  return rows.length > 0;
}

/** One of the accounts that is in more teams than `most`. */
export async function findCrowded(
  transaction: Transaction,
  accounts: readonly string[],
  most: number,
): Promise<string | undefined> {
  const [row] = await transaction.query<{ account: string }>(
    'select account from identity.team_member where account = any($1) group by account having count(*) > $2 limit 1',
    [accounts, most],
  );
  return row?.account;
}
