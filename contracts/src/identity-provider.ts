import { type Static, Type } from 'typebox';
import { Id, Name, namePattern, page, pageOf, strict, Time } from './field.ts';
import { NewLogin, Visit } from './login.ts';
import { type Operations, operation } from './operation.ts';
import { RoleRef } from './role.ts';

const Algorithm = Type.Union([
  Type.Literal('RS256'),
  Type.Literal('PS256'),
  Type.Literal('ES256'),
  Type.Literal('ES384'),
  Type.Literal('EdDSA'),
]);

const Text = Type.String({ minLength: 1, maxLength: 300, pattern: '^[\\x21-\\x7e]+$' });
const Group = Type.String({ minLength: 1, maxLength: 300 });
const Domain = Type.String({
  pattern: '^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$',
  description: 'Lower case, such as example.com.',
});

const GroupRole = strict({ group: Group, role: RoleRef });
const Machine = strict({
  client: Type.String({ ...Text, description: 'What the token says in azp or client_id.' }),
  service_account: Type.String({ pattern: namePattern, description: 'As whom it then acts.' }),
});

const settings = {
  issuer: Type.String({
    minLength: 1,
    maxLength: 500,
    description: 'Its address, as it names itself in its tokens; https, or http on this machine.',
  }),
  client_id: Text,
  algorithm: Type.Union(Algorithm.anyOf, { description: 'The one algorithm that its tokens may be signed with.' }),
  scopes: Type.Array(Text, { maxItems: 20, description: 'Asked for beside openid.' }),
  groups_claim: Type.String({ ...Text, description: 'Where its tokens name the groups of a person.' }),
  roles: Type.Array(GroupRole, {
    maxItems: 200,
    description: 'The first group that a person is in gives the role, at each sign-in anew.',
  }),
  default_role: Type.Union([RoleRef, Type.Null()], {
    description: 'For people in none of these groups; null keeps them out.',
  }),
  email_domains: Type.Array(Domain, { maxItems: 100 }),
  sso_only: Type.Boolean({
    description: 'Members whose address is of these domains act here only when they signed in by this provider.',
  }),
  audience: Type.Union([Text, Type.Null()], {
    description: 'What tokens of machines are made out to; null takes none. Never the client_id.',
  }),
  machines: Type.Array(Machine, { maxItems: 200 }),
};

export const IdentityProvider = Type.Object({
  name: Name,
  id: Id,
  ...settings,
  has_secret: Type.Boolean(),
  login_url: Type.Union([Type.String(), Type.Null()], {
    description: 'Where people begin to sign in; null until DAMASK_PUBLIC_URL is set.',
  }),
  redirect_uri: Type.Union([Type.String(), Type.Null()], { description: 'To be entered at the provider.' }),
  updated_at: Time,
});
export type IdentityProvider = Static<typeof IdentityProvider>;

/** What the edge needs to know of a provider that machines bring tokens of. */
export const TokenIssuerRow = Type.Object({ workspace: Id, id: Id, issuer: Type.String(), updated_at: Time });
export type TokenIssuerRow = Static<typeof TokenIssuerRow>;

export const identityProviderOperations = {
  listIdentityProviders: operation({
    method: 'GET',
    path: '/v1/identity-providers',
    permission: 'identity-provider:read',
    summary: 'Identity providers that people of the workspace sign in by',
    input: strict({ ...page }),
    output: pageOf(IdentityProvider),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  readIdentityProvider: operation({
    method: 'GET',
    path: '/v1/identity-providers/{identity_provider}',
    permission: 'identity-provider:read',
    summary: 'One identity provider, without its secret',
    input: strict({ identity_provider: Name }),
    output: IdentityProvider,
    status: 200,
    errors: ['not_found'],
  }),
  putIdentityProvider: operation({
    method: 'PUT',
    path: '/v1/identity-providers/{identity_provider}',
    permission: 'identity-provider:write',
    summary: 'Add an identity provider (OpenID Connect), or change what the input names of it',
    input: strict({
      identity_provider: Name,
      issuer: settings.issuer,
      client_id: settings.client_id,
      client_secret: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })),
      algorithm: Type.Optional(settings.algorithm),
      scopes: Type.Optional(settings.scopes),
      groups_claim: Type.Optional(settings.groups_claim),
      roles: Type.Optional(settings.roles),
      default_role: Type.Optional(settings.default_role),
      email_domains: Type.Optional(settings.email_domains),
      sso_only: Type.Optional(settings.sso_only),
      audience: Type.Optional(settings.audience),
      machines: Type.Optional(settings.machines),
    }),
    output: IdentityProvider,
    status: 200,
    errors: ['egress_denied', 'policy_refused', 'secret_required', 'not_found'],
  }),
  deleteIdentityProvider: operation({
    method: 'DELETE',
    path: '/v1/identity-providers/{identity_provider}',
    permission: 'identity-provider:write',
    summary: 'Remove an identity provider: nobody signs in by it any more, and its tokens are refused at once',
    input: strict({ identity_provider: Name }),
    output: IdentityProvider,
    status: 200,
    errors: ['not_found'],
  }),
  beginSignIn: operation({
    method: 'POST',
    path: '/internal/sign-ins',
    permission: 'internal',
    summary: 'Where a browser that wants to sign in is sent to, and what it brings back',
    input: strict({
      login: Id,
      return_to: Type.Optional(Type.String({ maxLength: 2_000 })),
      invitation: Type.Optional(
        Type.String({ maxLength: 100, description: 'Secret of an invitation that lets the person in.' }),
      ),
    }),
    output: Type.Object({ location: Type.String(), ticket: Type.String() }),
    status: 200,
    errors: ['not_found', 'policy_refused', 'sign_in_refused'],
  }),
  finishSignIn: operation({
    method: 'POST',
    path: '/internal/sign-ins/finish',
    permission: 'internal',
    summary: 'A login session for a person whom an identity provider sends back',
    input: strict({
      login: Id,
      ticket: Type.String({ maxLength: 4_096 }),
      query: Type.String({ maxLength: 16_384, description: 'Of the address that the browser came back to.' }),
      visit: Visit,
    }),
    output: Type.Object({ ...NewLogin.properties, return_to: Type.String() }),
    status: 201,
    errors: ['invalid_sign_in', 'sign_in_refused', 'not_found'],
  }),
  verifyToken: operation({
    method: 'POST',
    path: '/internal/tokens',
    permission: 'internal',
    summary: 'As which service account a token of an identity provider acts',
    input: strict({ provider: Id, token: Type.String({ maxLength: 8_192 }) }),
    output: Type.Object({
      machine: Type.Union([Type.Object({ workspace: Id, service_account: Id, expires_at: Time }), Type.Null()], {
        description: 'Null: the token is not valid.',
      }),
    }),
    status: 200,
    errors: ['unavailable'],
  }),
  readTokenIssuers: operation({
    method: 'GET',
    path: '/internal/token-issuers',
    permission: 'internal',
    summary: 'All providers of all workspaces that machines bring tokens of, for the edge',
    input: strict({ after: Type.Optional(Id), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5_000 })) }),
    output: Type.Object({ items: Type.Array(TokenIssuerRow), next: Type.Optional(Id) }),
    status: 200,
    errors: [],
  }),
} satisfies Operations;

/** Served by the gateway: a browser goes there and is led on. */
export const providerSignInOperations = {
  startProviderSignIn: operation({
    method: 'GET',
    path: '/login/oidc/{login}',
    permission: 'public',
    summary: 'Begin to sign in by an identity provider; leads the browser there',
    input: strict({ login: Id, return_to: Type.Optional(Type.String({ maxLength: 2_000 })) }),
    output: Type.Object({ location: Type.String() }),
    status: 303,
    redirects: true,
    errors: ['not_found', 'policy_refused'],
  }),
  finishProviderSignIn: operation({
    method: 'GET',
    path: '/login/oidc/{login}/callback',
    permission: 'public',
    summary: 'Where the identity provider leads the browser back to; sets the cookie',
    input: strict({ login: Id, query: Type.String({ maxLength: 16_384 }) }),
    output: Type.Object({ location: Type.String() }),
    status: 303,
    redirects: true,
    openQuery: true,
    errors: ['invalid_sign_in', 'sign_in_refused', 'not_found'],
  }),
} satisfies Operations;
