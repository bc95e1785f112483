import type { Invitation, InvitationState } from '@damask/contracts/invitation.ts';
import type { RoleRef } from '@damask/contracts/permissions.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { InviterKind } from './inviter-store.ts';

interface Row extends Omit<Invitation, 'state' | 'created_at' | 'expires_at' | 'accepted_at' | 'revoked_at'> {
  readonly inviter: InviterKind;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly accepted_at: Date | null;
  readonly revoked_at: Date | null;
}

/** An invitation with what is asked of it when it is taken. */
export interface StoredInvitation extends Invitation {
  readonly inviter: InviterKind;
}

/** An invitation as it enters the database. Times are milliseconds since 1970. */
export interface NewInvitation {
  readonly workspace: string;
  readonly id: string;
  readonly hash: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly role: RoleRef;
  readonly createdBy: string;
  readonly inviter: InviterKind;
  readonly now: number;
  readonly expiresAt: number;
}

const columns =
  'id, email, name, role, created_at, created_by, inviter, expires_at, accepted_at, member, revoked_at' as const;
const open = 'accepted_at is null and revoked_at is null and expires_at > $1';
/** The state of a row at the time `$1`. */
const stateAt = `case when accepted_at is not null then 'accepted' when revoked_at is not null then 'revoked'
  when expires_at <= $1 then 'expired' else 'open' end`;

export async function insertInvitation(
  transaction: Transaction,
  { now, ...invitation }: NewInvitation,
): Promise<StoredInvitation> {
  const [row] = await transaction.query<Row>(
    `insert into identity.invitation (workspace, id, hash, email, name, role, created_at, created_by, inviter, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning ${columns}`,
    [
      invitation.workspace,
      invitation.id,
      invitation.hash,
      invitation.email,
      invitation.name,
      invitation.role,
      new Date(now),
      invitation.createdBy,
      invitation.inviter,
      new Date(invitation.expiresAt),
    ],
  );
  return toInvitation(row as Row, now);
}

/** Newest first: the ids are ordered by time. */
export async function listInvitations(
  transaction: Transaction,
  page: { before: string | null; state: InvitationState | null; limit: number; now: number },
): Promise<StoredInvitation[]> {
  const rows = await transaction.query<Row>(
    `select ${columns} from identity.invitation
      where ($2::uuid is null or id < $2) and ($3::text is null or ${stateAt} = $3) order by id desc limit $4`,
    [new Date(page.now), page.before, page.state, page.limit],
  );
  return rows.map((row) => toInvitation(row, page.now));
}

export async function findInvitation(
  transaction: Transaction,
  id: string,
  now: number,
): Promise<StoredInvitation | undefined> {
  const [row] = await transaction.query<Row>(`select ${columns} from identity.invitation where id = $1`, [id]);
  return row && toInvitation(row, now);
}

/** Locked until the transaction ends: of two that take or revoke it, one comes second. */
export async function lockInvitation(
  transaction: Transaction,
  id: string,
  now: number,
): Promise<StoredInvitation | undefined> {
  const [row] = await transaction.query<Row>(`select ${columns} from identity.invitation where id = $1 for update`, [
    id,
  ]);
  return row && toInvitation(row, now);
}

/** Where the invitation of a secret is; for the role `platform`. */
export async function findByHash(
  transaction: Transaction,
  hash: string,
): Promise<{ readonly workspace: string; readonly id: string } | undefined> {
  const [row] = await transaction.query<{ workspace: string; id: string }>(
    'select workspace, id from identity.invitation where hash = $1',
    [hash],
  );
  return row;
}

/** Open ones of the workspace; counts no further than `most`. */
export async function countOpen(transaction: Transaction, now: number, most: number): Promise<number> {
  const [row] = await transaction.query<{ count: number }>(
    `select count(*)::int as count from (select from identity.invitation where ${open} limit $2) as counted`,
    [new Date(now), most],
  );
  return row?.count ?? 0;
}

export async function markAccepted(
  transaction: Transaction,
  { id, member, now }: { id: string; member: string; now: number },
): Promise<void> {
  await transaction.query('update identity.invitation set accepted_at = $2, member = $3 where id = $1', [
    id,
    new Date(now),
    member,
  ]);
}

export async function markRevoked(transaction: Transaction, id: string, now: number): Promise<void> {
  await transaction.query('update identity.invitation set revoked_at = $2 where id = $1', [id, new Date(now)]);
}

/** Deletes what ended before a time (milliseconds since 1970), some rows at a time. */
export async function sweepInvitations(transaction: Transaction, before: number): Promise<void> {
  await transaction.query(
    `delete from identity.invitation where id in (select id from identity.invitation
       where least(accepted_at, revoked_at, expires_at) < $1 order by id limit 100 for update skip locked)`,
    [new Date(before)],
  );
}

/** Makes an account a member, or again one. False where it is one already. */
export async function joinMember(
  transaction: Transaction,
  member: { workspace: string; account: string; role: RoleRef; createdBy: string; now: number },
): Promise<boolean> {
  const { workspace, account, role, createdBy, now } = member;
  const rows = await transaction.query(
    `insert into identity.member (workspace, account, role, source, created_at, created_by)
     values ($1, $2, $3, 'invitation', $4, $5)
     on conflict (workspace, account) do update set role = excluded.role, source = excluded.source,
       created_at = excluded.created_at, created_by = excluded.created_by, removed_at = null
      where member.removed_at is not null
     returning account`,
    [workspace, account, role, new Date(now), createdBy],
  );
  return rows.length > 0;
}

function toInvitation(row: Row, now: number): StoredInvitation {
  const { accepted_at, revoked_at, expires_at } = row;
  const over = expires_at.getTime() <= now ? 'expired' : 'open';
  return {
    ...row,
    state: accepted_at ? 'accepted' : revoked_at ? 'revoked' : over,
    created_at: row.created_at.toISOString(),
    expires_at: expires_at.toISOString(),
    accepted_at: accepted_at?.toISOString() ?? null,
    revoked_at: revoked_at?.toISOString() ?? null,
  };
}
