import { type Static, Type } from 'typebox';
import { Id, Name, page, pageOf, strict, Time } from './field.ts';
import { Account, NewLogin, Visit } from './login.ts';
import { type Operations, operation } from './operation.ts';
import { RoleRef } from './role.ts';

/** As browsers take them: with it goes whose domain binds whom, so nothing that only looks like an address. */
const Email = Type.String({
  maxLength: 254,
  pattern:
    "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$",
});
const PersonName = Type.String({ minLength: 1, maxLength: 100 });
const nullable = <Schema extends typeof Email | typeof PersonName | typeof Id | typeof Time>(schema: Schema) =>
  Type.Union([schema, Type.Null()]);

const InvitationState = Type.Union([
  Type.Literal('open'),
  Type.Literal('accepted'),
  Type.Literal('expired'),
  Type.Literal('revoked'),
]);
export type InvitationState = Static<typeof InvitationState>;

export const Invitation = Type.Object({
  id: Id,
  email: nullable(Email),
  name: nullable(PersonName),
  role: RoleRef,
  state: InvitationState,
  created_at: Time,
  created_by: Type.String({ ...Id, description: 'Who invites, and must still be allowed to when it is accepted.' }),
  expires_at: Time,
  accepted_at: nullable(Time),
  member: Type.Union([Id, Type.Null()], { description: 'Who became a member by it.' }),
  revoked_at: nullable(Time),
});
export type Invitation = Static<typeof Invitation>;

const whom = {
  email: Type.Optional(Email),
  name: Type.Optional(PersonName),
  role: RoleRef,
  expires_at: Type.Optional(
    Type.String({ ...Time, description: 'In seven days unless told, and in thirty at the latest.' }),
  ),
};
const Secret = Type.String({ minLength: 1, maxLength: 100, description: 'What stands behind # in the link.' });
const byId = strict({ invitation: Id });

const Shown = Type.Object({
  workspace: Type.String({ description: 'Its name.' }),
  role: RoleRef,
  email: nullable(Email),
  name: nullable(PersonName),
  invited_by: Type.String(),
  expires_at: Time,
  provider_only: Type.Boolean({ description: 'The address is one that only these providers let in.' }),
  providers: Type.Array(Type.Object({ login: Id, name: Name })),
});

/** Served by the identity service. */
export const invitationOperations = {
  listInvitations: operation({
    method: 'GET',
    path: '/v1/invitations',
    permission: 'member:read',
    summary: 'Invitations to the workspace, newest first; those that ended are kept for 90 days',
    input: strict({ ...page, state: Type.Optional(InvitationState) }),
    output: pageOf(Invitation),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  readInvitation: operation({
    method: 'GET',
    path: '/v1/invitations/{invitation}',
    permission: 'member:read',
    summary: 'One invitation, without its secret',
    input: byId,
    output: Invitation,
    status: 200,
    errors: ['not_found'],
  }),
  revokeInvitation: operation({
    method: 'DELETE',
    path: '/v1/invitations/{invitation}',
    permission: 'member:write',
    summary: 'Revoke an invitation at once; one that was accepted stays so',
    input: byId,
    output: Invitation,
    status: 200,
    errors: ['not_found'],
  }),
  issueInvitation: operation({
    method: 'POST',
    path: '/internal/invitations',
    permission: 'internal',
    summary: "An invitation to the caller's workspace, with its secret",
    input: strict(whom),
    output: Type.Object({ invitation: Invitation, secret: Type.String() }),
    status: 201,
    errors: ['not_found', 'policy_refused'],
  }),
  showInvitation: operation({
    method: 'POST',
    path: '/internal/invitations/show',
    permission: 'internal',
    summary: 'What somebody who has the secret of an invitation is told',
    input: strict({ secret: Secret }),
    output: Shown,
    status: 200,
    errors: ['sign_in_refused'],
  }),
  joinAsNew: operation({
    method: 'POST',
    path: '/internal/invitations/join-as-new',
    permission: 'internal',
    summary: 'A new account with the membership of an invitation, and its login session',
    input: strict({ secret: Secret, name: PersonName, visit: Visit }),
    output: NewLogin,
    status: 201,
    errors: ['sign_in_refused', 'sso_required', 'policy_refused'],
  }),
  joinSignedIn: operation({
    method: 'POST',
    path: '/internal/invitations/join-signed-in',
    permission: 'internal',
    summary: 'The membership of an invitation for the account that is signed in, and another login session for it',
    input: strict({ secret: Secret, visit: Visit }),
    output: NewLogin,
    status: 201,
    errors: ['sign_in_refused', 'sso_required', 'policy_refused'],
  }),
} satisfies Operations;

const acceptErrors = ['sign_in_refused', 'sso_required', 'policy_refused', 'rate_limited'] as const;

/** Served by the gateway: it knows its address, and sets the cookie of a browser. */
export const invitationSignInOperations = {
  createInvitation: operation({
    method: 'POST',
    path: '/v1/invitations',
    permission: 'member:write',
    summary: 'Invite somebody with a role that holds no more than the caller does; the link is shown this once',
    input: strict(whom),
    output: Type.Object({
      ...Invitation.properties,
      url: Type.String({ description: 'Makes whoever opens it a member, once.' }),
    }),
    status: 201,
    errors: ['not_found', 'policy_refused'],
  }),
  previewInvitation: operation({
    method: 'POST',
    path: '/v1/login/invitation/options',
    permission: 'public',
    summary: 'Where an invitation leads to, and the ways to accept it; it is not used up',
    input: strict({ secret: Secret }),
    output: Shown,
    status: 200,
    errors: ['sign_in_refused', 'rate_limited'],
  }),
  acceptInvitation: operation({
    method: 'POST',
    path: '/v1/login/invitation',
    permission: 'public',
    summary: 'Accept an invitation as somebody new; sets the cookie',
    input: strict({ secret: Secret, name: PersonName }),
    output: Type.Object({ account: Account }),
    status: 200,
    errors: [...acceptErrors],
  }),
  startInvitationSignIn: operation({
    method: 'POST',
    path: '/v1/login/invitation/provider',
    permission: 'public',
    summary: 'Accept an invitation by signing in at an identity provider; answers where the browser goes',
    input: strict({ secret: Secret, login: Id }),
    output: Type.Object({ location: Type.String() }),
    status: 200,
    errors: ['sign_in_refused', 'not_found', 'policy_refused', 'rate_limited'],
  }),
  joinWorkspace: operation({
    method: 'POST',
    path: '/v1/me/invitations',
    permission: 'account',
    summary: 'Accept an invitation as who is signed in; the login session gets a new cookie',
    input: strict({ secret: Secret }),
    output: Type.Object({ account: Account }),
    status: 200,
    errors: [...acceptErrors],
  }),
} satisfies Operations;
