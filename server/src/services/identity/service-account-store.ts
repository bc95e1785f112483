import type { RoleRef } from '@damask/contracts/permissions.ts';
import type { Transaction } from '#platform/database/database.ts';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly role: RoleRef;
}

/** By its name, locked until the transaction ends so that it cannot go while a key is made for it. */
export async function findServiceAccount(transaction: Transaction, name: string): Promise<Row | undefined> {
  const [row] = await transaction.query<Row>(
    'select id, name, role from identity.service_account where name = $1 for share',
    [name],
  );
  return row;
}
