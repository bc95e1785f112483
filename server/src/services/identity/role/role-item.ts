import type { RoleItem } from '@damask/contracts/role-operations.ts';
import type { RoleRow } from './role-store.ts';

/** Roles that a workspace may make: they are listed as a whole, and all of them are in the memory of every process. */
export const mostRoles = 100;

export function toRole({ name, description, permissions, created_at, updated_at }: RoleRow): RoleItem {
  return {
    role: `custom:${name}`,
    description,
    permissions,
    built_in: false,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
  };
}
