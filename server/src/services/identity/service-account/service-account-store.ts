import type { RoleRef } from '@damask/contracts/permissions.ts';
import type { ServiceAccount } from '@damask/contracts/service-account.ts';
import type { Transaction } from '#platform/database/database.ts';

interface Row extends Omit<ServiceAccount, 'created_at' | 'updated_at'> {
  readonly created_at: Date;
  readonly updated_at: Date;
}

const columns = 'id, name, description, role, created_at, created_by, updated_at';

/** By its name, locked until the transaction ends so that it cannot go while a key is made for it. */
export async function findServiceAccount(
  transaction: Transaction,
  name: string,
): Promise<Pick<ServiceAccount, 'id' | 'name' | 'role'> | undefined> {
  const [row] = await transaction.query<Pick<ServiceAccount, 'id' | 'name' | 'role'>>(
    'select id, name, role from identity.service_account where name = $1 for share',
    [name],
  );
  return row;
}

export async function lockServiceAccount(transaction: Transaction, name: string): Promise<ServiceAccount | undefined> {
  const [row] = await transaction.query<Row>(
    `select ${columns} from identity.service_account where name = $1 for update`,
    [name],
  );
  return row && toServiceAccount(row);
}

/** By name. */
export async function listServiceAccounts(
  transaction: Transaction,
  page: { readonly after: string | null; readonly limit: number },
): Promise<ServiceAccount[]> {
  const rows = await transaction.query<Row>(
    `select ${columns} from identity.service_account
      where $1::text is null or name collate "C" > $1 order by name collate "C" limit $2`,
    [page.after, page.limit],
  );
  return rows.map(toServiceAccount);
}

/** How many there are; counts no further than `most`. */
export async function countServiceAccounts(transaction: Transaction, most: number): Promise<number> {
  const rows = await transaction.query(`select from identity.service_account limit ${most}`);
  return rows.length;
}

/** Creates it, or changes its role and description. */
export async function putServiceAccount(
  transaction: Transaction,
  account: {
    readonly workspace: string;
    readonly id: string;
    readonly name: string;
    readonly description: string;
    readonly role: RoleRef;
    readonly createdBy: string | null;
    readonly now: number;
  },
): Promise<ServiceAccount> {
  const { workspace, id, name, description, role, createdBy, now } = account;
  const [row] = await transaction.query<Row>(
    `insert into identity.service_account (workspace, id, name, description, role, created_at, created_by, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $6)
     on conflict (workspace, name) do update
       set description = excluded.description, role = excluded.role, updated_at = excluded.updated_at
     returning ${columns}`,
    [workspace, id, name, description, role, new Date(now), createdBy],
  );
  return toServiceAccount(row as Row);
}

/** Deletes it and revokes its keys. Answers the ids of the keys that lived. */
export async function deleteServiceAccount(transaction: Transaction, id: string, now: number): Promise<string[]> {
  const keys = await transaction.query<{ id: string }>(
    'update identity.api_key set revoked_at = $2 where service_account = $1 and revoked_at is null returning id',
    [id, new Date(now)],
  );
  await transaction.query('delete from identity.service_account where id = $1', [id]);
  return keys.map((key) => key.id);
}

function toServiceAccount(row: Row): ServiceAccount {
  return { ...row, created_at: row.created_at.toISOString(), updated_at: row.updated_at.toISOString() };
}
