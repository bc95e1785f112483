import type { ApiKey } from '@damask/contracts/api-key.ts';
import type { Permission, RoleRef } from '@damask/contracts/permissions.ts';
import type { Transaction } from '#platform/database/database.ts';

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: RoleRef;
  readonly prefix: string;
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly last_used_at: Date | null;
  readonly scopes: Permission[] | null;
  readonly patterns: string[] | null;
  readonly environments: string[] | null;
  readonly requests_per_minute: number | null;
  readonly member: string | null;
  readonly service_account: string | null;
}

/** What narrows a key below its role, null where nothing does, and whose it is. */
export interface KeyBounds {
  readonly scopes: readonly Permission[] | null;
  readonly patterns: readonly string[] | null;
  readonly environments: readonly string[] | null;
  readonly requestsPerMinute: number | null;
  readonly member: string | null;
  /** Its id. */
  readonly serviceAccount: string | null;
}

/** The key of nobody in particular, as its role is. */
export const unbounded: KeyBounds = {
  scopes: null,
  patterns: null,
  environments: null,
  requestsPerMinute: null,
  member: null,
  serviceAccount: null,
};

/** A key as it enters the database. Times are milliseconds since 1970. */
export interface NewKey {
  readonly workspace: string;
  readonly id: string;
  readonly name: string;
  readonly role: RoleRef;
  readonly prefix: string;
  readonly hash: string;
  readonly createdAt: number;
  readonly createdBy: string | null;
  readonly expiresAt: number | null;
  readonly bounds: KeyBounds;
}

const shown = `id, name, role, prefix, created_at, created_by, expires_at, revoked_at, last_used_at, scopes, patterns, environments,
  requests_per_minute, member,
  (select s.name from identity.service_account as s where s.id = api_key.service_account) as service_account`;

export async function insertKey(transaction: Transaction, key: NewKey): Promise<ApiKey> {
  const [row] = await transaction.query<KeyRow>(
    `insert into identity.api_key (workspace, id, name, role, prefix, hash, created_at, created_by, expires_at, scopes,
        patterns, environments, requests_per_minute, member, service_account)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) returning ${shown}`,
    [
      key.workspace,
      key.id,
      key.name,
      key.role,
      key.prefix,
      key.hash,
      new Date(key.createdAt),
      key.createdBy,
      key.expiresAt === null ? null : new Date(key.expiresAt),
      key.bounds.scopes,
      key.bounds.patterns,
      key.bounds.environments,
      key.bounds.requestsPerMinute,
      key.bounds.member,
      key.bounds.serviceAccount,
    ],
  );
  return toApiKey(row as KeyRow);
}

/** Newest first: the ids are ordered by time. */
export async function listKeys(
  transaction: Transaction,
  page: { before: string | null; limit: number },
): Promise<ApiKey[]> {
  const rows = await transaction.query<KeyRow>(
    `select ${shown} from identity.api_key where $1::uuid is null or id < $1 order by id desc limit $2`,
    [page.before, page.limit],
  );
  return rows.map(toApiKey);
}

export async function findKey(transaction: Transaction, id: string): Promise<ApiKey | undefined> {
  const [row] = await transaction.query<KeyRow>(`select ${shown} from identity.api_key where id = $1`, [id]);
  return row && toApiKey(row);
}

/** Live keys of the workspace; counts no further than `most`. */
export async function countLiveKeys(transaction: Transaction, now: number, most: number): Promise<number> {
  const [row] = await transaction.query<{ count: number }>(
    `select count(*)::int as count from (
       select from identity.api_key where revoked_at is null and (expires_at is null or expires_at > $1) limit $2
     ) as live`,
    [new Date(now), most],
  );
  return row?.count ?? 0;
}

/**
 * Whether somebody else than the key or member `but` can act as an owner. Owners are locked until the transaction ends:
 * two that end each other must not both succeed.
 */
export async function hasOtherOwner(transaction: Transaction, but: string, now: number): Promise<boolean> {
  const members = await transaction.query<{ id: string }>(
    `select account as id from identity.member where role = 'owner' and removed_at is null order by account for update`,
  );
  const keys = await transaction.query<{ id: string; member: string | null }>(
    `select id, member from identity.api_key
      where role = 'owner' and revoked_at is null and (expires_at is null or expires_at > $1)
      order by id for update`,
    [new Date(now)],
  );
  // The key of a member ends with the membership, and so it keeps nobody in.
  return members.some(({ id }) => id !== but) || keys.some(({ id, member }) => id !== but && member === null);
}

/** Whether member and service account are still there; they stay until the transaction ends. Null asks for nobody. */
export async function holdHolder(
  transaction: Transaction,
  member: string | null,
  serviceAccount: string | null,
): Promise<boolean> {
  const [row] = await transaction.query<{ held: boolean }>(
    `with member as (
       select account from identity.member where account = $1 and removed_at is null for share
     ), account as (select id from identity.service_account where id = $2 for share)
     select ($1::uuid is null or exists (select from member)) and ($2::uuid is null or exists (select from account))
       as held`,
    [member, serviceAccount],
  );
  return row?.held ?? false;
}

/** Keeps when keys were last used, unless a later time is known. */
export async function markUsed(transaction: Transaction, keys: readonly string[], at: string): Promise<void> {
  await transaction.query(
    `update identity.api_key set last_used_at = $2
      where id = any($1::uuid[]) and (last_used_at is null or last_used_at < $2)`,
    [keys, at],
  );
}

/** Ids of the live keys of a member or a service account. */
export async function listKeysOf(transaction: Transaction, holder: string): Promise<string[]> {
  const rows = await transaction.query<{ id: string }>(
    'select id from identity.api_key where (member = $1 or service_account = $1) and revoked_at is null',
    [holder],
  );
  return rows.map(({ id }) => id);
}

/** Undefined when the key is unknown or was revoked before. */
export async function markRevoked(transaction: Transaction, id: string, now: number): Promise<ApiKey | undefined> {
  const [row] = await transaction.query<KeyRow>(
    `update identity.api_key set revoked_at = $2 where id = $1 and revoked_at is null returning ${shown}`,
    [id, new Date(now)],
  );
  return row && toApiKey(row);
}

/** Whether a live owner key of the workspace has this hash. */
export async function isOwnerKey(transaction: Transaction, hash: string, now: number): Promise<boolean> {
  const rows = await transaction.query(
    `select from identity.api_key
      where hash = $1 and role = 'owner' and revoked_at is null and (expires_at is null or expires_at > $2)`,
    [hash, new Date(now)],
  );
  return rows.length > 0;
}

function toApiKey(row: KeyRow): ApiKey {
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
  };
}
