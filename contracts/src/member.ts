import { type Static, Type } from 'typebox';
import { Id, Name, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { RoleRef } from './role.ts';

/** What the edge needs to know of a member. One whose account is disabled has no row. */
export const MemberTableRow = Type.Object({
  workspace: Id,
  account: Id,
  name: Type.String(),
  role: RoleRef,
  teams: Type.Array(Name),
  only_by: Type.Optional(
    Type.Array(Id, { description: 'Identity providers without which the member acts nowhere here.' }),
  ),
});
export type MemberTableRow = Static<typeof MemberTableRow>;

export const MemberSource = Type.Union([
  Type.Literal('local'),
  Type.Literal('invitation'),
  Type.Literal('oidc'),
  Type.Literal('scim'),
]);
export type MemberSource = Static<typeof MemberSource>;

export const Member = Type.Object({
  id: Type.String({ ...Id, description: 'Of the account, which may be a member elsewhere too.' }),
  name: Type.String(),
  email: Type.Union([Type.String(), Type.Null()]),
  role: RoleRef,
  teams: Type.Array(Name),
  source: MemberSource,
  disabled: Type.Boolean({ description: 'The account cannot sign in, and its keys are refused.' }),
  created_at: Time,
});
export type Member = Static<typeof Member>;

const byId = { member: Id };

export const memberOperations = {
  listMembers: operation({
    method: 'GET',
    path: '/v1/members',
    permission: 'member:read',
    summary: 'People of the workspace, newest account first',
    input: strict({ ...page }),
    output: pageOf(Member),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  readMember: operation({
    method: 'GET',
    path: '/v1/members/{member}',
    permission: 'member:read',
    summary: 'One member',
    input: strict(byId),
    output: Member,
    status: 200,
    errors: ['not_found'],
  }),
  changeMember: operation({
    method: 'PUT',
    path: '/v1/members/{member}',
    permission: 'member:write',
    summary: 'Give a member another role; nobody changes their own',
    input: strict({ ...byId, role: RoleRef }),
    output: Member,
    status: 200,
    errors: ['not_found', 'policy_refused'],
  }),
  removeMember: operation({
    method: 'DELETE',
    path: '/v1/members/{member}',
    permission: 'member:write',
    summary: 'End a membership at once, with its keys and teams',
    input: strict(byId),
    output: Member,
    status: 200,
    errors: ['not_found', 'policy_refused'],
  }),
} satisfies Operations;
