import type { Permission } from '@damask/contracts/permissions.ts';
import type { Transaction } from '#platform/database/database.ts';

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
