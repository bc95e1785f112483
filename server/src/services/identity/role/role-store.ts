import type { Permission } from '@damask/contracts/permissions.ts';
import type { Transaction } from '#platform/database/database.ts';

export interface RoleRow {
  readonly name: string;
  readonly description: string;
  readonly permissions: Permission[];
  readonly created_at: Date;
  readonly updated_at: Date;
}

const columns = 'name, description, permissions, created_at, updated_at';

/** What a role that the workspace made holds; undefined when there is none of this name. */
export async function findRolePermissions(
  transaction: Transaction,
  name: string,
): Promise<readonly Permission[] | undefined> {
  const [row] = await transaction.query<{ permissions: Permission[] }>(
    // Locked, so that it cannot go or grow while it is handed out.
    'select permissions from identity.custom_role where name = $1 for share',
    [name],
  );
  return row?.permissions;
}

/** By name; `most` at most. */
export function listRoles(transaction: Transaction, most: number): Promise<RoleRow[]> {
  return transaction.query<RoleRow>(
    `select ${columns} from identity.custom_role order by name collate "C" limit ${most}`,
  );
}

/** Locked until the transaction ends. */
export async function lockRole(transaction: Transaction, name: string): Promise<RoleRow | undefined> {
  const [row] = await transaction.query<RoleRow>(
    `select ${columns} from identity.custom_role where name = $1 for update`,
    [name],
  );
  return row;
}

export async function putRole(
  transaction: Transaction,
  workspace: string,
  role: Pick<RoleRow, 'name' | 'description' | 'permissions'>,
  now: number,
): Promise<RoleRow> {
  const [row] = await transaction.query<RoleRow>(
    `insert into identity.custom_role (workspace, name, description, permissions, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $5)
     on conflict (workspace, name) do update
       set description = excluded.description, permissions = excluded.permissions, updated_at = excluded.updated_at
     returning ${columns}`,
    [workspace, role.name, role.description, role.permissions, new Date(now)],
  );
  return row as RoleRow;
}

export async function deleteRole(transaction: Transaction, name: string): Promise<void> {
  await transaction.query('delete from identity.custom_role where name = $1', [name]);
}

/** Everybody with the role: members, service accounts, keys, and the keys of those members and accounts. */
export async function listActorsOfRole(transaction: Transaction, role: string): Promise<string[]> {
  const rows = await transaction.query<{ id: string }>(
    `with holder as (
       select account as id from identity.member where role = $1 and removed_at is null
       union all select id from identity.service_account where role = $1
     )
     select id from holder union
     select k.id from identity.api_key as k
      where k.revoked_at is null
        and (k.role = $1 or k.member in (select id from holder) or k.service_account in (select id from holder))`,
    [role],
  );
  return rows.map(({ id }) => id);
}

/** Who has the role: `members`, `service accounts`, `live keys`; undefined when nobody has. */
export async function findUseOfRole(transaction: Transaction, role: string, now: number): Promise<string | undefined> {
  const [row] = await transaction.query<{ who: string }>(
    `select 'members' as who from identity.member where role = $1 and removed_at is null
     union all select 'service accounts' from identity.service_account where role = $1
     union all select 'live keys' from identity.api_key
       where role = $1 and revoked_at is null and (expires_at is null or expires_at > $2)
     limit 1`,
    [role, new Date(now)],
  );
  return row?.who;
}
