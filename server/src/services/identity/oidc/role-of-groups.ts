import type { RoleRef } from '@damask/contracts/permissions.ts';
import type { ProviderRow } from './provider-store.ts';

/** What a person's groups make of them; null keeps them out. */
export function roleOfGroups(
  { roles, default_role }: Pick<ProviderRow, 'roles' | 'default_role'>,
  groups: readonly string[],
): RoleRef | null {
  const mine = new Set(groups);
  return roles.find(({ group }) => mine.has(group))?.role ?? default_role;
}
