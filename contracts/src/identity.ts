import { type Static, Type } from 'typebox';
import { Id, None, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { type Permission, permissions, type Role, roles } from './permissions.ts';

// TypeBox infers unions from tuples only; a mapped list would be `never`.
export const RoleName = Type.Unsafe<Role>(Type.Union(roles.map((role) => Type.Literal(role))));
export const PermissionName = Type.Unsafe<Permission>(
  Type.Union(permissions.map((permission) => Type.Literal(permission))),
);

export const Workspace = Type.Object({ id: Id, name: Type.String(), created_at: Time });
export type Workspace = Static<typeof Workspace>;

export const Me = Type.Object({
  workspace: Workspace,
  actor: Type.Object({ kind: Type.Literal('key'), id: Id, name: Type.String(), role: RoleName }),
  permissions: Type.Array(PermissionName),
});

export const ApiKey = Type.Object({
  id: Id,
  name: Type.String(),
  role: RoleName,
  prefix: Type.String({ description: 'The first characters, enough to recognise a key by.' }),
  created_at: Time,
  created_by: Type.Union([Id, Type.Null()]),
  expires_at: Type.Union([Time, Type.Null()]),
  revoked_at: Type.Union([Time, Type.Null()]),
});
export type ApiKey = Static<typeof ApiKey>;

export const NewApiKey = Type.Object({
  ...ApiKey.properties,
  key: Type.String({ description: 'Shown this once; only its hash is kept.' }),
});

/** What the edge needs to recognise a caller without asking the database. */
export const KeyTableRow = Type.Object({
  id: Id,
  workspace: Id,
  name: Type.String(),
  role: RoleName,
  hash: Type.String({ description: 'SHA-256 of the whole key, base64.' }),
  expires_at: Type.Union([Time, Type.Null()]),
});
export type KeyTableRow = Static<typeof KeyTableRow>;

/** A key that its holder made: identity gets to know only what it stores. */
const mintedKey = {
  key_hash: Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$', description: 'SHA-256 of the whole key, base64.' }),
  key_prefix: Type.String({ pattern: '^dmk_[0-9A-Za-z]{8}$' }),
};

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
  listKeys: operation({
    method: 'GET',
    path: '/v1/keys',
    permission: 'key:read',
    summary: 'API keys of the workspace, newest first',
    input: strict({ ...page }),
    output: pageOf(ApiKey),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  createKey: operation({
    method: 'POST',
    path: '/v1/keys',
    permission: 'key:write',
    summary: 'Make an API key with a role that the caller also holds',
    input: strict({
      name: Type.String({ minLength: 1, maxLength: 100 }),
      role: RoleName,
      expires_at: Type.Optional(Time),
    }),
    output: NewApiKey,
    status: 201,
    errors: [],
  }),
  readKey: operation({
    method: 'GET',
    path: '/v1/keys/{key}',
    permission: 'key:read',
    summary: 'One API key, without its secret',
    input: strict({ key: Id }),
    output: ApiKey,
    status: 200,
    errors: ['not_found'],
  }),
  revokeKey: operation({
    method: 'DELETE',
    path: '/v1/keys/{key}',
    permission: 'key:write',
    summary: 'Revoke an API key at once',
    input: strict({ key: Id }),
    output: ApiKey,
    status: 200,
    errors: ['not_found'],
  }),
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
  readKeyTable: operation({
    method: 'GET',
    path: '/internal/key-table',
    permission: 'internal',
    summary: 'All live keys of all workspaces, for the edge',
    input: strict({ after: Type.Optional(Id), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000 })) }),
    output: Type.Object({ items: Type.Array(KeyTableRow), next: Type.Optional(Id) }),
    status: 200,
    errors: [],
  }),
} satisfies Operations;
