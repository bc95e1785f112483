import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { rolePermissions, roles } from '@damask/contracts/permissions.ts';
import type { RoleItem, roleOperations } from '@damask/contracts/role-operations.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { mostRoles, toRole } from './role-item.ts';
import { listRoles as readRoles } from './role-store.ts';

type ListRoles = typeof roleOperations.listRoles;

export async function listRoles(
  { database, cursors }: IdentityParts,
  { workspace }: CallContext,
  { limit = 50, cursor }: InputOf<ListRoles>,
): Promise<OutputOf<ListRoles>> {
  const list = { list: 'listRoles', workspace };
  const [after = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const own = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    readRoles(transaction, mostRoles),
  );
  const all = [...roles.map(builtIn), ...own.map(toRole)];
  const begin = after === null ? 0 : place(all, after);
  const items = all.slice(begin, begin + limit);
  const last = items.at(-1);
  return begin + limit < all.length && last ? { items, next: cursors.encode(list, [last.role]) } : { items };
}

/** Where the role after this one stands, also when this one is gone meanwhile. */
function place(all: readonly RoleItem[], after: string): number {
  const at = all.findIndex(({ role }) => role === after);
  if (at >= 0) return at + 1;
  const next = all.findIndex(({ role, built_in }) => !built_in && role > after);
  return next < 0 ? all.length : next;
}

function builtIn(role: (typeof roles)[number]): RoleItem {
  const permissions = [...rolePermissions[role]];
  return { role, description: '', permissions, built_in: true, created_at: null, updated_at: null };
}
