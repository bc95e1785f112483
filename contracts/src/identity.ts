import { type Static, type TSchema, Type } from 'typebox';
import { ApiKey, KeyTableRow, keyOperations, NewApiKey } from './api-key.ts';
import { Id, Name, None, strict, Time } from './field.ts';
import { identityProviderOperations } from './identity-provider.ts';
import { invitationOperations } from './invitation.ts';
import { MemberTableRow, memberOperations } from './member.ts';
import { type Operations, operation } from './operation.ts';
import { PermissionName, RoleRef, RoleTableRow } from './role.ts';
import { roleOperations } from './role-operations.ts';
import { scimOperations } from './scim.ts';
import { ServiceAccountTableRow, serviceAccountOperations } from './service-account.ts';
import { teamOperations } from './team.ts';

export const Workspace = Type.Object({ id: Id, name: Type.String(), created_at: Time });
export type Workspace = Static<typeof Workspace>;

export const Me = Type.Object({
  workspace: Workspace,
  actor: Type.Object({
    kind: Type.Union([Type.Literal('key'), Type.Literal('member'), Type.Literal('service_account')]),
    id: Id,
    name: Type.String(),
    role: RoleRef,
    account: Type.Union([Id, Type.Null()], { description: 'The member behind it, where there is one.' }),
  }),
  permissions: Type.Array(PermissionName),
  patterns: Type.Union([Type.Array(Name), Type.Null()], { description: 'The only patterns it reaches; null for all.' }),
  environments: Type.Union([Type.Array(Name), Type.Null()], {
    description: 'The only environments it reaches; null for all.',
  }),
  teams: Type.Array(Name, { description: 'Teams that the member belongs to.' }),
});

/** A key that its holder made: identity gets to know only what it stores. */
const mintedKey = {
  key_hash: Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$', description: 'SHA-256 of the whole key, base64.' }),
  key_prefix: Type.String({ pattern: '^dmk_[0-9A-Za-z]{8}$' }),
};

const tablePage = {
  after: Type.Optional(Type.String({ maxLength: 200 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000 })),
};
const tableOf = <Row extends TSchema>(row: Row) =>
  Type.Object({ items: Type.Array(row), next: Type.Optional(Type.String()) });

export const identityOperations = {
  readMe: operation({
    method: 'GET',
    path: '/v1/me',
    permission: 'self:read',
    summary: 'Who the credential is and what it may do',
    input: None,
    output: Me,
    status: 200,
    errors: [],
  }),
  readWorkspace: operation({
    method: 'GET',
    path: '/v1/workspace',
    permission: 'workspace:read',
    summary: 'The workspace of the credential',
    input: None,
    output: Workspace,
    status: 200,
    errors: [],
  }),
  ...keyOperations,
  ...roleOperations,
  ...memberOperations,
  ...serviceAccountOperations,
  ...teamOperations,
  ...identityProviderOperations,
  ...invitationOperations,
  ...scimOperations,
  createWorkspace: operation({
    method: 'POST',
    path: '/internal/workspaces',
    permission: 'internal',
    summary: 'Make a workspace with its data key and an owner key',
    input: strict({ name: Type.String({ minLength: 1, maxLength: 100 }) }),
    output: Type.Object({ workspace: Workspace, owner_key: NewApiKey }),
    status: 201,
    errors: [],
  }),
  readInstance: operation({
    method: 'GET',
    path: '/internal/instance',
    permission: 'internal',
    summary: 'Which installation this is, and the workspace that its first start made',
    input: None,
    output: Type.Object({ id: Id, workspace: Type.Union([Id, Type.Null()]) }),
    status: 200,
    errors: [],
  }),
  openInstance: operation({
    method: 'POST',
    path: '/internal/instance',
    permission: 'internal',
    summary: 'Make the first workspace with this owner key, unless there is one',
    input: strict({ name: Type.String({ minLength: 1, maxLength: 100 }), ...mintedKey }),
    output: Type.Object({
      workspace: Id,
      accepted: Type.Boolean({ description: 'The key opens the workspace, whoever made it.' }),
    }),
    status: 200,
    errors: [],
  }),
  reissueOwnerKey: operation({
    method: 'POST',
    path: '/internal/owner-keys',
    permission: 'internal',
    summary: 'Add an owner key for the operator who lost the last one',
    input: strict({ workspace: Type.Optional(Id), ...mintedKey }),
    output: Type.Object({ workspace: Id, key: ApiKey }),
    status: 201,
    errors: ['not_found'],
  }),
  noteKeyUses: operation({
    method: 'POST',
    path: '/internal/key-uses',
    permission: 'internal',
    summary: 'Keep when keys were last used',
    input: strict({
      at: Time,
      uses: Type.Array(strict({ workspace: Id, key: Id }), { maxItems: 1000 }),
    }),
    output: Type.Object({}),
    status: 200,
    errors: [],
  }),
  readKeyTable: operation({
    method: 'GET',
    path: '/internal/key-table',
    permission: 'internal',
    summary: 'All live keys of all workspaces, for the edge',
    input: strict(tablePage),
    output: tableOf(KeyTableRow),
    status: 200,
    errors: [],
  }),
  readMemberTable: operation({
    method: 'GET',
    path: '/internal/member-table',
    permission: 'internal',
    summary: 'All members of all workspaces whose accounts are not disabled, for the edge',
    input: strict(tablePage),
    output: tableOf(MemberTableRow),
    status: 200,
    errors: [],
  }),
  readRoleTable: operation({
    method: 'GET',
    path: '/internal/role-table',
    permission: 'internal',
    summary: "All workspaces' own roles, for the edge",
    input: strict(tablePage),
    output: tableOf(RoleTableRow),
    status: 200,
    errors: [],
  }),
  readServiceAccountTable: operation({
    method: 'GET',
    path: '/internal/service-account-table',
    permission: 'internal',
    summary: 'All service accounts of all workspaces, for the edge',
    input: strict(tablePage),
    output: tableOf(ServiceAccountTableRow),
    status: 200,
    errors: [],
  }),
} satisfies Operations;
