import type { ApiKey, KeyTableRow, Workspace } from '@damask/contracts/identity.ts';
import type { Role } from '@damask/contracts/permissions.ts';
import type { Transaction } from '#platform/database/database.ts';

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly prefix: string;
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

/** A key as it enters the database. Times are milliseconds since 1970. */
export interface NewKey {
  readonly workspace: string;
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly prefix: string;
  readonly hash: string;
  readonly createdAt: number;
  readonly createdBy: string | null;
  readonly expiresAt: number | null;
}

const shown = 'id, name, role, prefix, created_at, created_by, expires_at, revoked_at';

export async function insertWorkspace(
  transaction: Transaction,
  workspace: { id: string; name: string; createdAt: number },
): Promise<Workspace> {
  const { id, name, createdAt } = workspace;
  const at = new Date(createdAt);
  await transaction.query('insert into identity.workspace (workspace, name, created_at) values ($1, $2, $3)', [
    id,
    name,
    at,
  ]);
  return { id, name, created_at: at.toISOString() };
}

/** The workspace of the transaction. */
export async function findWorkspace(transaction: Transaction): Promise<Workspace | undefined> {
  const [row] = await transaction.query<{ id: string; name: string; created_at: Date }>(
    'select workspace as id, name, created_at from identity.workspace',
  );
  return row && { ...row, created_at: row.created_at.toISOString() };
}

export async function insertKey(transaction: Transaction, key: NewKey): Promise<ApiKey> {
  const [row] = await transaction.query<KeyRow>(
    `insert into identity.api_key (workspace, id, name, role, prefix, hash, created_at, created_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning ${shown}`,
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

/** Live owner keys of the workspace, locked until the transaction ends: two that revoke each other must not both succeed. */
export async function lockOwnerKeys(transaction: Transaction, now: number): Promise<string[]> {
  const rows = await transaction.query<{ id: string }>(
    `select id from identity.api_key
      where role = 'owner' and revoked_at is null and (expires_at is null or expires_at > $1)
      order by id for update`,
    [new Date(now)],
  );
  return rows.map((row) => row.id);
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

/** Live keys of all workspaces by id, for the role `platform`. */
export async function readKeyRows(
  transaction: Transaction,
  page: { after: string | null; limit: number; now: number },
): Promise<KeyTableRow[]> {
  const rows = await transaction.query<Omit<KeyTableRow, 'expires_at'> & { expires_at: Date | null }>(
    `select id, workspace, name, role, hash, expires_at from identity.api_key
      where revoked_at is null and (expires_at is null or expires_at > $3) and ($1::uuid is null or id > $1)
      order by id limit $2`,
    [page.after, page.limit, new Date(page.now)],
  );
  return rows.map((row) => ({ ...row, expires_at: row.expires_at?.toISOString() ?? null }));
}

export async function findInstance(transaction: Transaction): Promise<{ id: string; workspace: string | null }> {
  const [row] = await transaction.query<{ id: string; workspace: string | null }>(
    'select id, first_workspace as workspace from identity.instance',
  );
  if (!row) throw new Error('The row of identity.instance is missing');
  return row;
}

/** Makes `workspace` the first one. False when there is one; waits for another process that is just making it. */
export async function claimFirst(transaction: Transaction, workspace: string): Promise<boolean> {
  const rows = await transaction.query<{ id: string }>(
    'update identity.instance set first_workspace = $1 where first_workspace is null returning id',
    [workspace],
  );
  return rows.length > 0;
}

function toApiKey(row: KeyRow): ApiKey {
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}
