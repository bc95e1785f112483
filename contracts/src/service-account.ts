import { type Static, Type } from 'typebox';
import { Id, Name, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { RoleRef } from './role.ts';

/** What the edge needs to know of a service account. */
export const ServiceAccountTableRow = Type.Object({ workspace: Id, id: Id, name: Name, role: RoleRef });
export type ServiceAccountTableRow = Static<typeof ServiceAccountTableRow>;

export const ServiceAccount = Type.Object({
  id: Id,
  name: Name,
  description: Type.String(),
  role: RoleRef,
  created_at: Time,
  created_by: Type.Union([Id, Type.Null()]),
  updated_at: Time,
});
export type ServiceAccount = Static<typeof ServiceAccount>;

const byName = { service_account: Name };

export const serviceAccountOperations = {
  listServiceAccounts: operation({
    method: 'GET',
    path: '/v1/service-accounts',
    permission: 'member:read',
    summary: 'Programs that act in their own name, by name',
    input: strict({ ...page }),
    output: pageOf(ServiceAccount),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  putServiceAccount: operation({
    method: 'PUT',
    path: '/v1/service-accounts/{service_account}',
    permission: 'member:write',
    summary: 'Create a service account or give it another role; its keys never hold more than it does',
    input: strict({
      ...byName,
      role: RoleRef,
      description: Type.Optional(Type.String({ maxLength: 500 })),
    }),
    output: ServiceAccount,
    status: 200,
    errors: ['not_found', 'policy_refused'],
  }),
  deleteServiceAccount: operation({
    method: 'DELETE',
    path: '/v1/service-accounts/{service_account}',
    permission: 'member:write',
    summary: 'Delete a service account and revoke its keys at once',
    input: strict(byName),
    output: ServiceAccount,
    status: 200,
    errors: ['not_found'],
  }),
} satisfies Operations;
