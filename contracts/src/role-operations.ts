import { type Static, Type } from 'typebox';
import { Name, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { PermissionName, RoleRef } from './role.ts';

export const RoleItem = Type.Object({
  role: RoleRef,
  description: Type.String(),
  permissions: Type.Array(PermissionName),
  built_in: Type.Boolean({ description: 'A role of the platform, which cannot be changed.' }),
  created_at: Type.Union([Time, Type.Null()]),
  updated_at: Type.Union([Time, Type.Null()]),
});
export type RoleItem = Static<typeof RoleItem>;

const byName = { custom_role: Name };

export const roleOperations = {
  listRoles: operation({
    method: 'GET',
    path: '/v1/roles',
    permission: 'role:read',
    summary: 'Roles with what they hold: those of the platform, then those of the workspace by name',
    input: strict({ ...page }),
    output: pageOf(RoleItem),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  putRole: operation({
    method: 'PUT',
    path: '/v1/roles/{custom_role}',
    permission: 'role:write',
    summary: 'Create or replace a role of the workspace, which is given as custom: and its name',
    input: strict({
      ...byName,
      permissions: Type.Array(PermissionName, {
        minItems: 1,
        maxItems: 100,
        description: 'What it holds. Nobody makes a role that holds more than they do.',
      }),
      description: Type.Optional(Type.String({ maxLength: 500 })),
    }),
    output: RoleItem,
    status: 200,
    errors: ['policy_refused'],
  }),
  deleteRole: operation({
    method: 'DELETE',
    path: '/v1/roles/{custom_role}',
    permission: 'role:write',
    summary: 'Delete a role of the workspace that nobody has',
    input: strict(byName),
    output: RoleItem,
    status: 200,
    errors: ['not_found', 'policy_refused'],
  }),
} satisfies Operations;
