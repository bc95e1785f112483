import type { LoginSession, LoginSessionTableRow, Membership } from '@damask/contracts/login.ts';
import type { RoleRef } from '@damask/contracts/permissions.ts';
import type { Transaction } from '#platform/database/database.ts';

/** A person of the installation. */
export interface StoredAccount {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  readonly disabled: boolean;
}

interface SessionRow {
  readonly id: string;
  readonly kind: 'browser' | 'cli';
  readonly way: string;
  readonly user_agent: string;
  readonly address: string;
  readonly created_at: Date;
  readonly seen_at: Date;
  readonly expires_at: Date;
}

/** A login session as it enters the database. Times are milliseconds since 1970. */
export interface NewSession {
  readonly id: string;
  readonly account: string;
  readonly hash: string;
  readonly kind: 'browser' | 'cli';
  readonly way: string;
  readonly provider: string | null;
  readonly userAgent: string;
  readonly address: string;
  readonly now: number;
  readonly expiresAt: number;
  readonly idleMs: number;
}

const shown = 'id, kind, way, user_agent, address, created_at, seen_at, expires_at';
const live = `revoked_at is null and expires_at > $2 and seen_at + idle > $2`;

/** The rest of the transaction belongs to this workspace; with null to none, where accounts and their sessions are. */
export async function enterWorkspace(transaction: Transaction, workspace: string | null): Promise<void> {
  await transaction.query(`select set_config('damask.workspace', $1, true)`, [workspace ?? '']);
}

/** Locked until the transaction ends: who is disabled meanwhile must not get a session after it. */
export async function lockAccount(transaction: Transaction, id: string): Promise<StoredAccount | undefined> {
  const [row] = await transaction.query<StoredAccount>(
    `select id, name, email, disabled_at is not null as disabled from identity.account where id = $1 for update`,
    [id],
  );
  return row;
}

export async function findAccount(transaction: Transaction, id: string): Promise<StoredAccount | undefined> {
  const [row] = await transaction.query<StoredAccount>(
    `select id, name, email, disabled_at is not null as disabled from identity.account where id = $1`,
    [id],
  );
  return row;
}

export async function insertAccount(
  transaction: Transaction,
  account: {
    id: string;
    name: string;
    email: string | null;
    emailVerified: boolean;
    /** The workspace whose directory makes it. */
    directory?: string;
    now: number;
  },
): Promise<void> {
  await transaction.query(
    `insert into identity.account (id, email, email_verified, name, created_at, directory)
     values ($1, $2, $3, $4, $5, $6)`,
    [account.id, account.email, account.emailVerified, account.name, new Date(account.now), account.directory ?? null],
  );
}

/** Ids of the workspaces of which an account is a member, oldest first; for the role `platform`. */
export async function listWorkspacesOf(transaction: Transaction, account: string): Promise<string[]> {
  const rows = await transaction.query<{ workspace: string }>(
    `select workspace from identity.member where account = $1 and removed_at is null order by workspace limit 100`,
    [account],
  );
  return rows.map((row) => row.workspace);
}

/** What the account is in the workspace of the transaction. */
export async function findMembership(transaction: Transaction, account: string): Promise<Membership | undefined> {
  const [row] = await transaction.query<{ id: string; name: string; role: RoleRef }>(
    `select w.workspace as id, w.name, m.role from identity.member as m
       join identity.workspace as w on w.workspace = m.workspace
      where m.account = $1 and m.removed_at is null`,
    [account],
  );
  return row;
}

/** Two links that are made at once must not make two owners. */
export async function lockOwners(transaction: Transaction): Promise<void> {
  await transaction.query(`select pg_advisory_xact_lock(hashtext('identity.owner'))`);
}

/** A local owner, in the workspace of the transaction. */
export async function insertOwner(
  transaction: Transaction,
  owner: { workspace: string; account: string; now: number },
): Promise<void> {
  await transaction.query(
    `insert into identity.member (workspace, account, role, source, created_at) values ($1, $2, 'owner', 'local', $3)`,
    [owner.workspace, owner.account, new Date(owner.now)],
  );
}

/** Local owners who are not disabled, of the transaction's workspace, first the oldest. */
export async function listLocalOwners(transaction: Transaction): Promise<string[]> {
  const rows = await transaction.query<{ account: string }>(
    `select m.account from identity.member as m join identity.account as a on a.id = m.account
      where m.role = 'owner' and m.source = 'local' and m.removed_at is null and a.disabled_at is null
      order by m.created_at, m.account limit 100`,
  );
  return rows.map(({ account }) => account);
}

/** Owners of a workspace who are members elsewhere too; for the role `platform`. */
export async function listSharedOwners(transaction: Transaction, workspace: string): Promise<string[]> {
  const rows = await transaction.query<{ account: string }>(
    `select m.account from identity.member as m
      where m.workspace = $1 and m.role = 'owner' and m.removed_at is null
        and exists (select from identity.member as o
                     where o.account = m.account and o.workspace <> m.workspace and o.removed_at is null)
      order by m.account limit 1000`,
    [workspace],
  );
  return rows.map(({ account }) => account);
}

export async function insertSession(transaction: Transaction, session: NewSession): Promise<LoginSession> {
  const now = new Date(session.now);
  const [row] = await transaction.query<SessionRow>(
    `insert into identity.login_session
       (id, account, hash, kind, way, user_agent, address, created_at, seen_at, expires_at, idle, provider)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10 * interval '1 ms', $11) returning ${shown}`,
    [
      session.id,
      session.account,
      session.hash,
      session.kind,
      session.way,
      session.userAgent,
      session.address,
      now,
      new Date(session.expiresAt),
      session.idleMs,
      session.provider,
    ],
  );
  return toSession(row as SessionRow);
}

/** Live ones of an account, newest first. */
export async function listSessions(transaction: Transaction, account: string, now: number): Promise<LoginSession[]> {
  const rows = await transaction.query<SessionRow>(
    `select ${shown} from identity.login_session where account = $1 and ${live} order by id desc limit 200`,
    [account, new Date(now)],
  );
  return rows.map(toSession);
}

/** A live one of an account. */
export async function findSession(
  transaction: Transaction,
  which: { id: string; account: string; now: number },
): Promise<LoginSession | undefined> {
  const [row] = await transaction.query<SessionRow>(
    `select ${shown} from identity.login_session where account = $1 and ${live} and id = $3`,
    [which.account, new Date(which.now), which.id],
  );
  return row && toSession(row);
}

/** Ends them. Answers how many had not ended before. */
export async function revokeSessions(
  transaction: Transaction,
  which: { account: string; ids?: readonly string[]; now: number },
): Promise<number> {
  const rows = await transaction.query(
    `update identity.login_session set revoked_at = $2
      where account = $1 and revoked_at is null and ($3::uuid[] is null or id = any($3)) returning id`,
    [which.account, new Date(which.now), which.ids ?? null],
  );
  return rows.length;
}

/** Ends the one that a browser held before it got another. */
export async function revokeByHash(transaction: Transaction, hash: string, now: number): Promise<void> {
  await transaction.query('update identity.login_session set revoked_at = $2 where hash = $1 and revoked_at is null', [
    hash,
    new Date(now),
  ]);
}

/** Deletes what nobody can use any more, some rows at a time. `before` is milliseconds since 1970. */
export async function sweepLogins(transaction: Transaction, before: number): Promise<void> {
  for (const [table, key] of [
    ['login_session', 'id'],
    ['login_link', 'id'],
    ['used_challenge', 'hash'],
  ]) {
    await transaction.query(
      `delete from identity.${table} where ${key} in
         (select ${key} from identity.${table} where expires_at < $1 limit 100 for update skip locked)`,
      [new Date(before)],
    );
  }
}

/** Live ones of all accounts by id, for the role `platform`. */
export async function readSessionRows(
  transaction: Transaction,
  page: { after: string | null; limit: number; now: number },
): Promise<LoginSessionTableRow[]> {
  const rows = await transaction.query<
    Omit<LoginSessionTableRow, 'seen_at' | 'expires_at' | 'idle_ms'> & {
      seen_at: Date;
      expires_at: Date;
      idle_ms: string;
    }
  >(
    `select id, account, hash, kind, provider, seen_at, expires_at, (extract(epoch from idle) * 1000)::bigint as idle_ms
       from identity.login_session
      where ($1::uuid is null or id > $1) and ${live} order by id limit $3`,
    [page.after, new Date(page.now), page.limit],
  );
  return rows.map((row) => ({
    ...row,
    seen_at: row.seen_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    idle_ms: Number(row.idle_ms),
  }));
}

/** Later times only: edges tell of the same session in any order. */
export async function noteSeen(
  transaction: Transaction,
  seen: readonly { readonly id: string; readonly at: string }[],
): Promise<void> {
  await transaction.query(
    `update identity.login_session as s set seen_at = n.at
       from (select unnest($1::uuid[]) as id, unnest($2::timestamptz[]) as at) as n
      where s.id = n.id and s.revoked_at is null and s.seen_at < n.at`,
    [seen.map(({ id }) => id), seen.map(({ at }) => at)],
  );
}

export async function insertLink(
  transaction: Transaction,
  link: { id: string; account: string; madeIn: string; hash: string; now: number; expiresAt: number },
): Promise<void> {
  await transaction.query(
    'insert into identity.login_link (id, account, made_in, hash, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)',
    [link.id, link.account, link.madeIn, link.hash, new Date(link.now), new Date(link.expiresAt)],
  );
}

/** The account that a link would sign in, and the workspace that it is for. */
export async function findLink(
  transaction: Transaction,
  hash: string,
  now: number,
): Promise<{ account: string; madeIn: string } | undefined> {
  const [row] = await transaction.query<{ account: string; madeIn: string }>(
    'select account, made_in as "madeIn" from identity.login_link where hash = $1 and used_at is null and expires_at > $2',
    [hash, new Date(now)],
  );
  return row;
}

/** The account that a link signs in, at most once. */
export async function useLink(transaction: Transaction, hash: string, now: number): Promise<string | undefined> {
  const [row] = await transaction.query<{ account: string }>(
    `update identity.login_link set used_at = $2 where hash = $1 and used_at is null and expires_at > $2
     returning account`,
    [hash, new Date(now)],
  );
  return row?.account;
}

function toSession(row: SessionRow): LoginSession {
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    seen_at: row.seen_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
  };
}
