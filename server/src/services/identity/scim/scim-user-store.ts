import type { MemberSource } from '@damask/contracts/member.ts';
import type { RoleRef } from '@damask/contracts/permissions.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { Condition } from './parse-filter.ts';
import { type FilterField, filterSql } from './scim-filter-store.ts';
import type { Email, UserProfile } from './user-profile.ts';

/** A person as directories see them: every member, and whoever they took out. */
export interface ScimUserRow {
  readonly id: string;
  readonly user_name: string;
  readonly external_id: string | null;
  readonly display_name: string | null;
  readonly formatted_name: string | null;
  readonly given_name: string | null;
  readonly family_name: string | null;
  readonly emails: readonly Email[];
  readonly active: boolean;
  readonly role: RoleRef;
  readonly source: MemberSource;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly groups: readonly { readonly id: string; readonly name: string }[];
}

/** A member of whom no directory spoke yet is known by the address; one who has that of somebody else is that person. */
const seen = `select m.account as id, coalesce(s.user_name, a.email, m.account::text) as user_name, s.external_id,
    case when s.account is null then a.name else s.display_name end as display_name,
    s.formatted_name, s.given_name, s.family_name,
    coalesce(s.emails, case when a.email is null then '[]'::jsonb else jsonb_build_array(
      jsonb_build_object('value', a.email, 'primary', true)) end) as emails,
    m.removed_at is null as active, m.role, m.source, coalesce(s.created_at, m.created_at) as created_at,
    coalesce(s.updated_at, m.created_at) as updated_at
  from identity.member as m join identity.account as a on a.id = m.account
  left join identity.scim_user as s on s.workspace = m.workspace and s.account = m.account
  where s.deleted_at is null and (s.account is not null or (m.removed_at is null and not exists (
    select from identity.scim_user as t where t.deleted_at is null and t.addresses @> array[lower(a.email)])))`;

const groups = `coalesce((select json_agg(json_build_object('id', g.id, 'name', g.display_name) order by g.id)
    from (select g.id, g.display_name from identity.scim_group_member as gm
      join identity.scim_group as g on g.workspace = gm.workspace and g.id = gm.scim_group
      where gm.account = p.id order by g.id limit 100) as g), '[]') as groups`;

const fields: Readonly<Record<string, FilterField>> = {
  id: { sql: 'p.id::text' },
  username: { sql: 'p.user_name' },
  externalid: { sql: 'p.external_id', exact: true },
  displayname: { sql: 'p.display_name' },
  'name.givenname': { sql: 'p.given_name' },
  'name.familyname': { sql: 'p.family_name' },
  active: { sql: 'p.active', boolean: true },
  emails: { each: 'p.emails', sql: `one->>'value'` },
  'emails.value': { each: 'p.emails', sql: `one->>'value'` },
  'emails.type': { each: 'p.emails', sql: `one->>'type'` },
};

/** Oldest account first. `total` counts no further than the people that a workspace can have. */
export async function listUsers(
  transaction: Transaction,
  page: { conditions: readonly Condition[]; offset: number; limit: number; most: number },
): Promise<{ rows: ScimUserRow[]; total: number }> {
  const { where, values } = filterSql(page.conditions, fields);
  const [counted] = await transaction.query<{ count: number }>(
    `select count(*)::int as count from (select from (${seen}) as p where ${where} limit ${page.most}) as found`,
    values,
  );
  const at = values.length;
  const rows = await transaction.query<ScimUserRow>(
    `select p.*, ${groups} from (${seen}) as p where ${where} order by p.id offset $${at + 1} limit $${at + 2}`,
    [...values, page.offset, page.limit],
  );
  return { rows, total: counted?.count ?? 0 };
}

export async function findUser(transaction: Transaction, id: string): Promise<ScimUserRow | undefined> {
  const [row] = await transaction.query<ScimUserRow>(`select p.*, ${groups} from (${seen} and m.account = $1) as p`, [
    id,
  ]);
  return row;
}

/** Whether somebody has this user name. */
export async function isUserNameTaken(transaction: Transaction, name: string): Promise<boolean> {
  const rows = await transaction.query(`select from (${seen}) as p where lower(p.user_name) = lower($1) limit 1`, [
    name,
  ]);
  return rows.length > 0;
}

/** Whether the directory calls another person so. Members of whom it never spoke are no others: they become this person. */
export async function isUserNameGiven(transaction: Transaction, name: string, but: string): Promise<boolean> {
  const rows = await transaction.query(
    'select from identity.scim_user where deleted_at is null and lower(user_name) = lower($1) and account <> $2',
    [name, but],
  );
  return rows.length > 0;
}

/** The account of somebody whom the directory deleted and now names again. */
export async function findDeleted(transaction: Transaction, profile: UserProfile): Promise<string | undefined> {
  const [row] = await transaction.query<{ account: string }>(
    `select account from identity.scim_user
      where deleted_at is not null
        and (external_id = $2 or ($2::text is null and external_id is null and lower(user_name) = lower($1)))
      order by deleted_at desc limit 1`,
    [profile.userName, profile.externalId],
  );
  return row?.account;
}

export async function saveUser(
  transaction: Transaction,
  user: { workspace: string; account: string; profile: UserProfile; now: number },
): Promise<void> {
  const { workspace, account, profile, now } = user;
  const addresses = [profile.userName, ...profile.emails.map((email) => email.value)];
  await transaction.query(
    `insert into identity.scim_user (workspace, account, user_name, external_id, display_name, formatted_name, given_name,
        family_name, emails, addresses, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, (select array_agg(distinct lower(one)) from unnest($10::text[]) as one),
       $11, $11)
     on conflict (workspace, account) do update set user_name = excluded.user_name, external_id = excluded.external_id,
       display_name = excluded.display_name, formatted_name = excluded.formatted_name, given_name = excluded.given_name,
       family_name = excluded.family_name, emails = excluded.emails, addresses = excluded.addresses,
       updated_at = excluded.updated_at, deleted_at = null`,
    [
      workspace,
      account,
      profile.userName,
      profile.externalId,
      profile.displayName,
      profile.formattedName,
      profile.givenName,
      profile.familyName,
      JSON.stringify(profile.emails),
      addresses,
      new Date(now),
    ],
  );
}

export async function markDeleted(transaction: Transaction, account: string, now: number): Promise<void> {
  await transaction.query('update identity.scim_user set deleted_at = $2, updated_at = $2 where account = $1', [
    account,
    new Date(now),
  ]);
  await transaction.query('delete from identity.scim_group_member where account = $1', [account]);
}

/** Other members of the workspace with one of the addresses of this one: they signed in before or beside it. */
export async function findSamePerson(transaction: Transaction, account: string): Promise<string[]> {
  const rows = await transaction.query<{ account: string }>(
    `select m.account from identity.scim_user as s
       join identity.account as a on lower(a.email) = any(s.addresses)
       join identity.member as m on m.account = a.id and m.removed_at is null
      where s.account = $1 and m.account <> $1 and not exists (
        select from identity.scim_user as t where t.account = m.account and t.deleted_at is null)
      order by m.account limit 100`,
    [account],
  );
  return rows.map((row) => row.account);
}

/** Remembers whose memberships ended with this one, beside those known before. */
export async function keepEndedWith(
  transaction: Transaction,
  account: string,
  others: readonly string[],
): Promise<void> {
  await transaction.query(
    `update identity.scim_user set ended_with = array(select distinct unnest(ended_with || $2::uuid[])) where account = $1`,
    [account, others],
  );
}

export async function roleOf(transaction: Transaction, account: string): Promise<RoleRef | undefined> {
  const [row] = await transaction.query<{ role: RoleRef }>('select role from identity.member where account = $1', [
    account,
  ]);
  return row?.role;
}

/** How many members there are; counts no further than `most`. */
export async function countMembers(transaction: Transaction, most: number): Promise<number> {
  const [row] = await transaction.query<{ count: number }>(
    'select count(*)::int as count from (select from identity.member limit $1) as counted',
    [most],
  );
  return row?.count ?? 0;
}

/** Brings a membership that a provider vouches for back as it was. Answers whether there was such a one. */
export async function restoreMember(transaction: Transaction, account: string): Promise<boolean> {
  const rows = await transaction.query(
    `update identity.member set removed_at = null where account = $1 and source = 'oidc' and removed_at is not null
     returning account`,
    [account],
  );
  return rows.length > 0;
}

/** Those that ended with this one come back. Answers which. */
export async function restoreEndedWith(transaction: Transaction, account: string): Promise<string[]> {
  const rows = await transaction.query<{ account: string }>(
    `update identity.member as m set removed_at = null from identity.scim_user as s
      where s.account = $1 and m.account = any(s.ended_with) and m.source = 'oidc' and m.removed_at is not null
     returning m.account`,
    [account],
  );
  await transaction.query(`update identity.scim_user set ended_with = '{}' where account = $1`, [account]);
  return rows.map((row) => row.account);
}

/** One directory's changes to a workspace happen one after the other: groups and names hang together. */
export async function lockDirectory(transaction: Transaction, workspace: string): Promise<void> {
  await transaction.query(`select pg_advisory_xact_lock(hashtextextended('identity.scim ' || $1, 0))`, [workspace]);
}
