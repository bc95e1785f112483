import { type Static, Type } from 'typebox';
import { Id, None, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { RoleRef } from './role.ts';

export const Account = Type.Object({
  id: Id,
  name: Type.String(),
  email: Type.Union([Type.String(), Type.Null()]),
});
export type Account = Static<typeof Account>;

const LoginKind = Type.Union([Type.Literal('browser'), Type.Literal('cli')]);

export const LoginSession = Type.Object({
  id: Id,
  kind: LoginKind,
  way: Type.String({ description: 'link, passkey, invitation, or the identity provider that was asked.' }),
  user_agent: Type.String(),
  address: Type.String({ description: 'Where the sign-in came from.' }),
  created_at: Time,
  seen_at: Type.String({ ...Time, description: 'When it was last used, to a few minutes.' }),
  expires_at: Type.String({ ...Time, description: 'When it ends in any case; without use it ends earlier.' }),
});
export type LoginSession = Static<typeof LoginSession>;

export const Membership = Type.Object({ id: Id, name: Type.String(), role: RoleRef });
export type Membership = Static<typeof Membership>;

export const Passkey = Type.Object({
  id: Id,
  name: Type.String(),
  created_at: Time,
  used_at: Type.Union([Time, Type.Null()]),
});
export type Passkey = Static<typeof Passkey>;

/** What the edge needs to recognise who signed in without asking the database. */
export const LoginSessionTableRow = Type.Object({
  id: Id,
  account: Id,
  hash: Type.String({ description: 'SHA-256 of the secret, base64.' }),
  kind: LoginKind,
  provider: Type.Union([Id, Type.Null()], { description: 'The identity provider that was asked, if any was.' }),
  seen_at: Time,
  expires_at: Time,
  idle_ms: Type.Integer(),
});
export type LoginSessionTableRow = Static<typeof LoginSessionTableRow>;

/** From where somebody signs in; the edge tells. */
export const Visit = Type.Object({
  user_agent: Type.String({ maxLength: 200 }),
  address: Type.String({ maxLength: 100 }),
  previous: Type.Union([Type.String(), Type.Null()], {
    description: 'SHA-256 of the secret that the browser held before; it ends with the sign-in.',
  }),
});
export type Visit = Static<typeof Visit>;

/** A secret that was just made, with what it opens. */
export const NewLogin = Type.Object({ secret: Type.String(), session: LoginSession, account: Account });
export type NewLogin = Static<typeof NewLogin>;

const Bytes = Type.String({ pattern: '^[A-Za-z0-9_-]{1,20000}$', description: 'base64url, without padding.' });
const CredentialId = Type.String({ pattern: '^[A-Za-z0-9_-]{1,1400}$', description: 'As the browser names it.' });

/** What `navigator.credentials.create` answered, as far as it is looked at. */
export const PasskeyMade = strict({
  id: CredentialId,
  client_data: Bytes,
  attestation_object: Bytes,
  transports: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z-]{1,20}$' }), { maxItems: 10 })),
});
export type PasskeyMade = Static<typeof PasskeyMade>;

/** What `navigator.credentials.get` answered, as far as it is looked at. */
export const PasskeyUsed = strict({
  id: CredentialId,
  client_data: Bytes,
  authenticator_data: Bytes,
  signature: Bytes,
});
export type PasskeyUsed = Static<typeof PasskeyUsed>;

export const State = Type.String({ minLength: 1, maxLength: 512, description: 'As it was answered with the options.' });
const Origin = Type.String({ maxLength: 300 });
export const PasskeyName = Type.String({ minLength: 1, maxLength: 100 });

export const PasskeyOptions = Type.Object({
  options: Type.Object({}, { additionalProperties: true, description: 'For navigator.credentials, as JSON.' }),
  state: State,
});

/** Served by the identity service. */
export const loginOperations = {
  listLoginSessions: operation({
    method: 'GET',
    path: '/v1/me/login-sessions',
    permission: 'account',
    summary: 'Where one is signed in, newest first; at most 50',
    input: None,
    output: Type.Object({
      items: Type.Array(Type.Object({ ...LoginSession.properties, current: Type.Boolean() })),
    }),
    status: 200,
    errors: [],
  }),
  revokeLoginSession: operation({
    method: 'DELETE',
    path: '/v1/me/login-sessions/{login_session}',
    permission: 'account',
    summary: 'End one of your login sessions at once, with the streams that it holds open',
    input: strict({ login_session: Id }),
    output: LoginSession,
    status: 200,
    errors: ['not_found'],
  }),
  listPasskeys: operation({
    method: 'GET',
    path: '/v1/me/passkeys',
    permission: 'account',
    summary: 'Your passkeys, newest first; at most 20',
    input: None,
    output: Type.Object({ items: Type.Array(Passkey) }),
    status: 200,
    errors: [],
  }),
  deletePasskey: operation({
    method: 'DELETE',
    path: '/v1/me/passkeys/{passkey}',
    permission: 'account',
    summary: 'Delete a passkey; nobody signs in with it any more',
    input: strict({ passkey: Id }),
    output: Passkey,
    status: 200,
    errors: ['not_found'],
  }),
  issueLoginLink: operation({
    method: 'POST',
    path: '/internal/login-links',
    permission: 'internal',
    summary: "A secret that signs an owner of the caller's workspace in once",
    input: None,
    output: Type.Object({ link: Type.String(), account: Account, expires_at: Time }),
    status: 201,
    errors: ['not_found'],
  }),
  redeemLoginLink: operation({
    method: 'POST',
    path: '/internal/login-links/redeem',
    permission: 'internal',
    summary: 'A login session for a one-time link',
    input: strict({ link: Type.String({ maxLength: 100 }), visit: Visit }),
    output: NewLogin,
    status: 201,
    errors: ['sign_in_refused'],
  }),
  readAccount: operation({
    method: 'GET',
    path: '/internal/account',
    permission: 'internal',
    summary: 'The account behind a login session, with its workspaces',
    input: strict({ login_session: Id }),
    output: Type.Object({ account: Account, session: LoginSession, workspaces: Type.Array(Membership) }),
    status: 200,
    errors: ['not_found'],
  }),
  startPasskeyLogin: operation({
    method: 'POST',
    path: '/internal/passkeys/login-options',
    permission: 'internal',
    summary: 'A challenge for a sign-in with a passkey',
    input: strict({ origin: Origin }),
    output: PasskeyOptions,
    status: 200,
    errors: [],
  }),
  finishPasskeyLogin: operation({
    method: 'POST',
    path: '/internal/passkeys/login',
    permission: 'internal',
    summary: 'A login session for the answer to a challenge',
    input: strict({ origin: Origin, passkey: PasskeyUsed, state: State, visit: Visit }),
    output: NewLogin,
    status: 201,
    errors: ['sign_in_refused'],
  }),
  startNewPasskey: operation({
    method: 'POST',
    path: '/internal/passkeys/options',
    permission: 'internal',
    summary: 'A challenge for a new passkey',
    input: strict({ origin: Origin, account: Id }),
    output: PasskeyOptions,
    status: 200,
    errors: ['policy_refused'],
  }),
  finishNewPasskey: operation({
    method: 'POST',
    path: '/internal/passkeys',
    permission: 'internal',
    summary: 'Keep a passkey and replace the login session that made it',
    input: strict({
      origin: Origin,
      login_session: Id,
      name: PasskeyName,
      passkey: PasskeyMade,
      state: State,
      visit: Visit,
    }),
    output: Type.Object({ passkey: Passkey, login: NewLogin }),
    status: 201,
    errors: ['sign_in_refused', 'policy_refused', 'already_exists'],
  }),
  endLoginSession: operation({
    method: 'POST',
    path: '/internal/login-sessions/end',
    permission: 'internal',
    summary: 'End a login session whose holder signs out',
    input: strict({ login_session: Id }),
    output: Type.Object({}),
    status: 200,
    errors: [],
  }),
  readLoginSessionTable: operation({
    method: 'GET',
    path: '/internal/login-session-table',
    permission: 'internal',
    summary: 'All live login sessions, for the edge',
    input: strict({ after: Type.Optional(Id), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000 })) }),
    output: Type.Object({ items: Type.Array(LoginSessionTableRow), next: Type.Optional(Id) }),
    status: 200,
    errors: [],
  }),
  noteLoginSessions: operation({
    method: 'POST',
    path: '/internal/login-sessions/seen',
    permission: 'internal',
    summary: 'When login sessions were last used, from the edge',
    input: strict({ seen: Type.Array(strict({ id: Id, at: Time }), { maxItems: 5_000 }) }),
    output: Type.Object({}),
    status: 200,
    errors: [],
  }),
} satisfies Operations;
