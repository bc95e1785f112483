import { type Static, Type } from 'typebox';
import { Id, Name } from './field.ts';
import { type Permission, permissions, type RoleRef as RoleReference, roles } from './permissions.ts';

export const PermissionName = Type.Unsafe<Permission>(
  // TypeBox infers unions from tuples only; a mapped list would be `never`.
  Type.Union(permissions.map((permission) => Type.Literal(permission))),
);

export const RoleRef = Type.Unsafe<RoleReference>(
  Type.String({
    pattern: `^(${roles.join('|')}|custom:[a-z0-9][a-z0-9_-]{0,99})$`,
    description: `One of ${roles.join(', ')}, or custom: with the name of a role of the workspace.`,
  }),
);

/** What the edge needs to know of a workspace's own role. */
export const RoleTableRow = Type.Object({ workspace: Id, name: Name, permissions: Type.Array(PermissionName) });
export type RoleTableRow = Static<typeof RoleTableRow>;
