import { type Static, type TSchema, Type } from 'typebox';
import { Id, Name, namePattern, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { PermissionName, RoleRef } from './role.ts';

const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

/** What narrows a key below its role. What is null or left out does not narrow. */
const narrowing = {
  scopes: Type.Array(PermissionName, {
    minItems: 1,
    maxItems: 100,
    description: 'Of what the role holds, only these permissions.',
  }),
  patterns: Type.Array(Name, {
    minItems: 1,
    maxItems: 50,
    description: 'It reaches these patterns only, whether they exist yet or not.',
  }),
  environments: Type.Array(Name, {
    minItems: 1,
    maxItems: 10,
    description: 'Each of its runs names one of these environments.',
  }),
  requests_per_minute: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
};

export const ApiKey = Type.Object({
  id: Id,
  name: Type.String(),
  role: RoleRef,
  prefix: Type.String({ description: 'The first characters, enough to recognise a key by.' }),
  scopes: nullable(narrowing.scopes),
  patterns: nullable(narrowing.patterns),
  environments: nullable(narrowing.environments),
  requests_per_minute: nullable(narrowing.requests_per_minute),
  member: Type.Union([Id, Type.Null()], {
    description: 'The member whose key it is: it never holds more than that member does, and ends with the membership.',
  }),
  service_account: Type.Union([Name, Type.Null()], {
    description: 'The service account whose key it is: it never holds more than that one does, and ends with it.',
  }),
  created_at: Time,
  created_by: Type.Union([Id, Type.Null()]),
  expires_at: Type.Union([Time, Type.Null()]),
  revoked_at: Type.Union([Time, Type.Null()]),
  last_used_at: Type.Union([Time, Type.Null()], { description: 'To the minute, and up to two minutes late.' }),
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
  role: RoleRef,
  hash: Type.String({ description: 'SHA-256 of the whole key, base64.' }),
  expires_at: Type.Union([Time, Type.Null()]),
  scopes: Type.Optional(narrowing.scopes),
  patterns: Type.Optional(narrowing.patterns),
  environments: Type.Optional(narrowing.environments),
  requests_per_minute: Type.Optional(narrowing.requests_per_minute),
  member: Type.Optional(Id),
  service_account: Type.Optional(Id),
});
export type KeyTableRow = Static<typeof KeyTableRow>;

export const keyOperations = {
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
    summary: 'Make an API key that holds no more than the caller does',
    input: strict({
      name: Type.String({ minLength: 1, maxLength: 100 }),
      role: RoleRef,
      expires_at: Type.Optional(Time),
      scopes: Type.Optional(narrowing.scopes),
      patterns: Type.Optional(narrowing.patterns),
      environments: Type.Optional(narrowing.environments),
      requests_per_minute: Type.Optional(narrowing.requests_per_minute),
      service_account: Type.Optional(
        Type.String({
          pattern: namePattern,
          description: "Whose key it becomes. Left out, it is the caller's own where the caller is a member.",
        }),
      ),
    }),
    output: NewApiKey,
    status: 201,
    errors: ['policy_refused', 'not_found'],
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
    errors: ['not_found', 'policy_refused'],
  }),
} satisfies Operations;
