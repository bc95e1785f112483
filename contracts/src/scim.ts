import { type Static, Type } from 'typebox';
import type { ErrorCode } from './errors.ts';
import { Id, None, strict } from './field.ts';
import { type Operations, operation } from './operation.ts';

/** Names of the schemas of RFC 7643 and RFC 7644 that are spoken here. */
export const scimSchemas = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  config: 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
  resourceType: 'urn:ietf:params:scim:schemas:core:2.0:ResourceType',
  schema: 'urn:ietf:params:scim:schemas:core:2.0:Schema',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  patch: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
} as const;

/** Bytes of a body. It is parsed on the event loop, so it must not be large. */
export const scimBodyLimit = 256 * 1024;
/** Resources on a page at most, and unless the request says otherwise. */
export const scimPageLimit = 200;
export const scimPageDefault = 100;

const Schemas = Type.Array(Type.String());
const Text = Type.Optional(Type.String());
const Meta = Type.Object({
  resourceType: Type.String(),
  location: Type.String(),
  created: Text,
  lastModified: Text,
});
const Reference = Type.Object({ value: Type.String(), display: Text, $ref: Text, type: Text });

export const ScimUser = Type.Object({
  schemas: Schemas,
  id: Type.String({ description: 'Of the account, as members have it.' }),
  externalId: Text,
  userName: Text,
  name: Type.Optional(Type.Object({ formatted: Text, givenName: Text, familyName: Text })),
  displayName: Text,
  emails: Type.Optional(
    Type.Array(Type.Object({ value: Type.String(), type: Text, primary: Type.Optional(Type.Boolean()) })),
  ),
  active: Type.Optional(Type.Boolean({ description: 'Whether it is a member now.' })),
  groups: Type.Optional(Type.Array(Reference)),
  meta: Type.Optional(Meta),
});
export type ScimUser = Static<typeof ScimUser>;

export const ScimGroup = Type.Object({
  schemas: Schemas,
  id: Type.String(),
  externalId: Text,
  displayName: Text,
  members: Type.Optional(Type.Array(Reference)),
  meta: Type.Optional(Meta),
});
export type ScimGroup = Static<typeof ScimGroup>;

const listOf = <Row extends Parameters<typeof Type.Array>[0]>(row: Row) =>
  Type.Object({
    schemas: Schemas,
    totalResults: Type.Integer(),
    startIndex: Type.Integer(),
    itemsPerPage: Type.Integer(),
    Resources: Type.Array(row),
  });

/** A description of the interface, as RFC 7643 (sections 5 to 7) writes it. */
const Described = Type.Record(Type.String(), Type.Unknown());

const shown = {
  attributes: Type.Optional(Type.String({ maxLength: 1000, description: 'The only ones to answer, with commas.' })),
  excludedAttributes: Type.Optional(Type.String({ maxLength: 1000, description: 'Not to be answered, with commas.' })),
};
const query = {
  filter: Type.Optional(
    Type.String({ maxLength: 1000, description: 'Comparisons by eq, co and sw, with and between them.' }),
  ),
  startIndex: Type.Optional(Type.Integer({ description: 'From 1; what is less counts as 1.' })),
  count: Type.Optional(
    Type.Integer({ description: `Rows of a page: ${scimPageDefault} unless told, ${scimPageLimit} at most.` }),
  ),
  ...shown,
};
const user = { user: Id };
const group = { group: Id };

const permission = 'scim:write';
const dialect = 'scim';
const taking = { bodyTypes: ['application/scim+json', 'application/json'], bodyLimit: scimBodyLimit };
const writing = ['already_exists', 'policy_refused'] satisfies ErrorCode[];

/** SCIM 2.0 (RFC 7643, RFC 7644): how a directory tells who is there, and above all who is not any more. */
export const scimOperations = {
  listScimUsers: operation({
    method: 'GET',
    path: '/scim/v2/Users',
    permission,
    dialect,
    summary: 'People of the workspace as a directory sees them, oldest account first',
    input: strict(query),
    output: listOf(ScimUser),
    status: 200,
    errors: [],
  }),
  createScimUser: operation({
    method: 'POST',
    path: '/scim/v2/Users',
    permission,
    dialect,
    ...taking,
    summary: 'Make a person a member, in the role that its groups give',
    input: None,
    output: ScimUser,
    status: 201,
    errors: [...writing],
  }),
  readScimUser: operation({
    method: 'GET',
    path: '/scim/v2/Users/{user}',
    permission,
    dialect,
    summary: 'One person',
    input: strict({ ...user, ...shown }),
    output: ScimUser,
    status: 200,
    errors: ['not_found'],
  }),
  replaceScimUser: operation({
    method: 'PUT',
    path: '/scim/v2/Users/{user}',
    permission,
    dialect,
    ...taking,
    summary: 'Replace what is known of a person; active false ends the membership at once',
    input: strict(user),
    output: ScimUser,
    status: 200,
    errors: ['not_found', ...writing],
  }),
  patchScimUser: operation({
    method: 'PATCH',
    path: '/scim/v2/Users/{user}',
    permission,
    dialect,
    ...taking,
    summary: 'Change what is known of a person; active false ends the membership at once',
    input: strict(user),
    output: ScimUser,
    status: 200,
    errors: ['not_found', ...writing],
  }),
  deleteScimUser: operation({
    method: 'DELETE',
    path: '/scim/v2/Users/{user}',
    permission,
    dialect,
    summary: 'End a membership at once, with its login sessions, keys, teams and open streams',
    input: strict(user),
    output: Type.Object({}),
    status: 204,
    errors: ['not_found', 'policy_refused'],
  }),
  listScimGroups: operation({
    method: 'GET',
    path: '/scim/v2/Groups',
    permission,
    dialect,
    summary: 'Groups of the directory, oldest first; members of a group are shown where it is the only one',
    input: strict(query),
    output: listOf(ScimGroup),
    status: 200,
    errors: [],
  }),
  createScimGroup: operation({
    method: 'POST',
    path: '/scim/v2/Groups',
    permission,
    dialect,
    ...taking,
    summary: 'Add a group: its members get the role that an identity provider names for it, or else are a team',
    input: None,
    output: ScimGroup,
    status: 201,
    errors: [...writing],
  }),
  readScimGroup: operation({
    method: 'GET',
    path: '/scim/v2/Groups/{group}',
    permission,
    dialect,
    summary: 'One group with its members',
    input: strict({ ...group, ...shown }),
    output: ScimGroup,
    status: 200,
    errors: ['not_found'],
  }),
  replaceScimGroup: operation({
    method: 'PUT',
    path: '/scim/v2/Groups/{group}',
    permission,
    dialect,
    ...taking,
    summary: 'Replace a group and its members',
    input: strict(group),
    output: ScimGroup,
    status: 200,
    errors: ['not_found', ...writing],
  }),
  patchScimGroup: operation({
    method: 'PATCH',
    path: '/scim/v2/Groups/{group}',
    permission,
    dialect,
    ...taking,
    summary: 'Change a group, or take members in and out',
    input: strict(group),
    output: Type.Object({}),
    status: 204,
    errors: ['not_found', ...writing],
  }),
  deleteScimGroup: operation({
    method: 'DELETE',
    path: '/scim/v2/Groups/{group}',
    permission,
    dialect,
    summary: 'Delete a group: its members lose the role or team that they had by it',
    input: strict(group),
    output: Type.Object({}),
    status: 204,
    errors: ['not_found', 'policy_refused'],
  }),
  readScimConfig: operation({
    method: 'GET',
    path: '/scim/v2/ServiceProviderConfig',
    permission,
    dialect,
    summary: 'What of SCIM is spoken here',
    input: None,
    output: Described,
    status: 200,
    errors: [],
  }),
  listScimResourceTypes: operation({
    method: 'GET',
    path: '/scim/v2/ResourceTypes',
    permission,
    dialect,
    summary: 'Kinds of resources: User and Group',
    input: None,
    output: listOf(Described),
    status: 200,
    errors: [],
  }),
  readScimResourceType: operation({
    method: 'GET',
    path: '/scim/v2/ResourceTypes/{resource_type}',
    permission,
    dialect,
    summary: 'One kind of resource',
    input: strict({ resource_type: Type.Union([Type.Literal('User'), Type.Literal('Group')]) }),
    output: Described,
    status: 200,
    errors: [],
  }),
  listScimSchemas: operation({
    method: 'GET',
    path: '/scim/v2/Schemas',
    permission,
    dialect,
    summary: 'Attributes of users and groups',
    input: None,
    output: listOf(Described),
    status: 200,
    errors: [],
  }),
  readScimSchema: operation({
    method: 'GET',
    path: '/scim/v2/Schemas/{schema}',
    permission,
    dialect,
    summary: 'Attributes of one of them',
    input: strict({ schema: Type.Union([Type.Literal(scimSchemas.user), Type.Literal(scimSchemas.group)]) }),
    output: Described,
    status: 200,
    errors: [],
  }),
} satisfies Operations;
