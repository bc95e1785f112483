import type { Member, MemberSource } from '@damask/contracts/member.ts';
import type { RoleRef } from '@damask/contracts/permissions.ts';
import type { Transaction } from '#platform/database/database.ts';

interface Row extends Omit<Member, 'created_at'> {
  readonly created_at: Date;
}

const found = `select m.account as id, a.name, a.email, m.role, m.source, a.disabled_at is not null as disabled, m.created_at,
    coalesce((select array_agg(t.team order by t.team) from identity.team_member as t where t.account = m.account), '{}')
      as teams
  from identity.member as m join identity.account as a on a.id = m.account where m.removed_at is null`;

/** Newest account first: the ids are ordered by time. */
export async function listMembers(
  transaction: Transaction,
  page: { before: string | null; limit: number },
): Promise<Member[]> {
  const rows = await transaction.query<Row>(
    `${found} and ($1::uuid is null or m.account < $1) order by m.account desc limit $2`,
    [page.before, page.limit],
  );
  return rows.map(toMember);
}

export async function findMember(transaction: Transaction, account: string): Promise<Member | undefined> {
  const [row] = await transaction.query<Row>(`${found} and m.account = $1`, [account]);
  return row && toMember(row);
}

/** Locked until the transaction ends, with all owners in one order: two that end each other wait instead of dying. */
export async function lockMember(transaction: Transaction, account: string): Promise<Member | undefined> {
  await transaction.query(
    `select from identity.member where account = $1 or (role = 'owner' and removed_at is null)
      order by account for update`,
    [account],
  );
  return findMember(transaction, account);
}

export async function setMemberRole(transaction: Transaction, account: string, role: RoleRef): Promise<void> {
  await transaction.query('update identity.member set role = $2 where account = $1', [account, role]);
}

/** Writes a membership, or brings back one that had ended. The account is there already. */
export async function insertMember(
  transaction: Transaction,
  member: {
    readonly workspace: string;
    readonly account: string;
    readonly role: RoleRef;
    readonly source: MemberSource;
    readonly createdBy: string | null;
    readonly now: number;
  },
): Promise<void> {
  const { workspace, account, role, source, createdBy, now } = member;
  await transaction.query(
    `insert into identity.member (workspace, account, role, source, created_at, created_by) values ($1, $2, $3, $4, $5, $6)
     on conflict (workspace, account) do update set role = excluded.role, source = excluded.source,
       created_at = excluded.created_at, created_by = excluded.created_by, removed_at = null`,
    [workspace, account, role, source, new Date(now), createdBy],
  );
}

/** Ends a membership, its teams, its keys and what these and it invite to. Answers the ids of the keys that lived. */
export async function removeMember(transaction: Transaction, account: string, now: number): Promise<string[]> {
  const at = new Date(now);
  await transaction.query('update identity.member set removed_at = $2 where account = $1', [account, at]);
  await transaction.query('delete from identity.team_member where account = $1', [account]);
  const keys = await transaction.query<{ id: string }>(
    'update identity.api_key set revoked_at = $2 where member = $1 and revoked_at is null returning id',
    [account, at],
  );
  const ids = keys.map(({ id }) => id);
  await transaction.query(
    `update identity.invitation set revoked_at = $2
      where created_by = any($1::uuid[]) and accepted_at is null and revoked_at is null`,
    [[account, ...ids], at],
  );
  return ids;
}

function toMember(row: Row): Member {
  return { ...row, created_at: row.created_at.toISOString() };
}
