import type { RoleRef } from '@damask/contracts/permissions.ts';
import type { Transaction } from '#platform/database/database.ts';

export interface MemberRow {
  readonly role: RoleRef;
  readonly source: 'local' | 'invitation' | 'oidc' | 'scim';
  readonly removed: boolean;
}

/** The account of a person at a provider; outside of any workspace. */
export async function findAccountOf(
  transaction: Transaction,
  issuer: string,
  subject: string,
): Promise<string | undefined> {
  const [row] = await transaction.query<{ account: string }>(
    'select account from identity.login_identity where issuer = $1 and subject = $2',
    [issuer, subject],
  );
  return row?.account;
}

/** False when somebody else was faster. */
export async function insertIdentity(
  transaction: Transaction,
  identity: { issuer: string; subject: string; account: string; now: number },
): Promise<boolean> {
  const rows = await transaction.query(
    `insert into identity.login_identity (issuer, subject, account, created_at) values ($1, $2, $3, $4)
     on conflict do nothing returning account`,
    [identity.issuer, identity.subject, identity.account, new Date(identity.now)],
  );
  return rows.length > 0;
}

/** What the provider says of them now. */
export async function refreshAccount(
  transaction: Transaction,
  account: { id: string; name: string; email: string | null; emailVerified: boolean },
): Promise<void> {
  await transaction.query('update identity.account set name = $2, email = $3, email_verified = $4 where id = $1', [
    account.id,
    account.name,
    account.email,
    account.emailVerified,
  ]);
}

/** In the workspace of the transaction. Locks the row. */
export async function findMember(transaction: Transaction, account: string): Promise<MemberRow | undefined> {
  const [row] = await transaction.query<MemberRow>(
    `select role, source, removed_at is not null as removed from identity.member where account = $1 for update`,
    [account],
  );
  return row;
}

/** False when somebody else was faster. */
export async function insertMember(
  transaction: Transaction,
  member: { workspace: string; account: string; role: RoleRef; now: number },
): Promise<boolean> {
  const rows = await transaction.query(
    `insert into identity.member (workspace, account, role, source, created_at) values ($1, $2, $3, 'oidc', $4)
     on conflict do nothing returning account`,
    [member.workspace, member.account, member.role, new Date(member.now)],
  );
  return rows.length > 0;
}

export async function changeRole(transaction: Transaction, account: string, role: RoleRef): Promise<void> {
  await transaction.query('update identity.member set role = $2 where account = $1', [account, role]);
}

/** Whether the workspace has such a role; those of the platform it always has. */
export async function hasRole(transaction: Transaction, role: RoleRef): Promise<boolean> {
  if (!role.startsWith('custom:')) return true;
  const rows = await transaction.query('select from identity.custom_role where name = $1', [
    role.slice('custom:'.length),
  ]);
  return rows.length > 0;
}

/** Somebody whom a directory told of: by the id that the provider uses too, or by an address only. */
export interface Listed {
  readonly account: string;
  readonly named: boolean;
  readonly removed: boolean;
}

/**
 * What the workspace's directory (SCIM) says of a person: by their id there or their account, also one that ended
 * together with that of another, or by an address.
 */
export function findListed(
  transaction: Transaction,
  person: { subject: string | null; emails: readonly string[]; account: string | null },
): Promise<Listed[]> {
  const { subject, emails, account } = person;
  return transaction.query<Listed>(
    `select m.account, coalesce(u.external_id = $1, false) or coalesce(u.account = $3 or $3 = any(u.ended_with), false) as named,
        m.removed_at is not null as removed
       from identity.scim_user as u join identity.member as m on m.account = u.account
      where u.external_id = $1 or u.account = $3 or $3 = any(u.ended_with)
         or u.addresses && (select array_agg(lower(one)) from unnest($2::text[]) as one)
      order by u.account limit 10`,
    [subject, emails, account],
  );
}

/** Whether the directory of this workspace made an account and no provider vouches for it yet; outside of any workspace. */
export async function isUnclaimed(transaction: Transaction, account: string, workspace: string): Promise<boolean> {
  const rows = await transaction.query(
    `select from identity.account as a where a.id = $1 and a.directory = $2
       and not exists (select from identity.login_identity as i where i.account = a.id)`,
    [account, workspace],
  );
  return rows.length > 0;
}

/** False when a state was used before. */
export async function useState(transaction: Transaction, hash: string, until: number): Promise<boolean> {
  const rows = await transaction.query(
    `insert into identity.used_challenge (hash, expires_at) values ($1, $2) on conflict do nothing returning hash`,
    [hash, new Date(until)],
  );
  return rows.length > 0;
}
