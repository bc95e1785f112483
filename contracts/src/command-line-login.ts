import { Type } from 'typebox';
import { Id, None, strict, Time } from './field.ts';
import { NewLogin, Visit } from './login.ts';
import { type Operations, operation } from './operation.ts';

const Challenge = Type.String({
  pattern: '^[A-Za-z0-9_-]{43}$',
  description: 'SHA-256 of the verifier, base64url (PKCE S256).',
});
const Verifier = Type.String({ pattern: '^[A-Za-z0-9_-]{43,128}$' });
const UserCode = Type.String({ pattern: '^[B-Z]{4}-[B-Z]{4}$', description: 'What the person compares.' });
const Code = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });

/** What a command line says of itself when it wants to act for a person. */
const asked = {
  challenge: Challenge,
  name: Type.String({ minLength: 1, maxLength: 100, description: 'The machine, for the person who approves.' }),
  port: Type.Optional(
    Type.Integer({
      minimum: 1_024,
      maximum: 65_535,
      description: 'Where it listens on 127.0.0.1 of the same machine; left out where the browser is on another one.',
    }),
  ),
  state: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{16,100}$' })),
};

const Begun = Type.Object({ login: Id, user_code: UserCode, expires_at: Time });
const Finished = Type.Union([
  Type.Object({ status: Type.Literal('waiting') }),
  Type.Object({ status: Type.Literal('approved'), ...NewLogin.properties }),
]);

/** Served by the gateway. */
export const commandLineSignInOperations = {
  readApprovalPage: operation({
    method: 'GET',
    path: '/account/command-line',
    permission: 'public',
    summary: 'The page on which people let a command line act for them',
    input: None,
    output: Type.String(),
    media: 'text/html; charset=utf-8',
    scripted: true,
    status: 200,
    errors: [],
  }),
  startCommandLineLogin: operation({
    method: 'POST',
    path: '/v1/login/command-line',
    permission: 'public',
    summary: 'Ask a person to let a command line act for them',
    input: strict(asked),
    output: Type.Object({
      ...Begun.properties,
      url: Type.String({ description: 'Where the person goes.' }),
      interval_ms: Type.Integer({ description: 'Ask again after that.' }),
    }),
    status: 201,
    errors: ['rate_limited', 'policy_refused'],
  }),
  finishCommandLineLogin: operation({
    method: 'POST',
    path: '/v1/login/command-line/{login}',
    permission: 'public',
    summary: 'The login session of a command line, once the person has approved it',
    input: strict({ login: Id, verifier: Verifier, code: Type.Optional(Code) }),
    output: Finished,
    status: 200,
    errors: ['sign_in_refused', 'rate_limited'],
  }),
} satisfies Operations;

/** Served by the identity service. */
export const commandLineLoginOperations = {
  readCommandLineLogin: operation({
    method: 'GET',
    path: '/v1/me/command-line-logins/{user_code}',
    permission: 'account',
    summary: 'Which command line asks',
    input: strict({ user_code: UserCode }),
    output: Type.Object({ name: Type.String(), address: Type.String(), created_at: Time, expires_at: Time }),
    status: 200,
    errors: ['not_found'],
  }),
  approveCommandLineLogin: operation({
    method: 'POST',
    path: '/v1/me/command-line-logins/{user_code}/approval',
    permission: 'account',
    summary: 'Let it act for you; tells where the browser brings the answer, if anywhere',
    input: strict({ user_code: UserCode }),
    output: Type.Object({ location: Type.Union([Type.String(), Type.Null()]) }),
    status: 200,
    errors: ['not_found', 'forbidden'],
  }),
  openCommandLineLogin: operation({
    method: 'POST',
    path: '/internal/command-line-logins',
    permission: 'internal',
    summary: 'Keep what a command line asks until a person answers',
    input: strict({ ...asked, address: Type.String({ maxLength: 100 }) }),
    output: Begun,
    status: 201,
    errors: ['rate_limited'],
  }),
  redeemCommandLineLogin: operation({
    method: 'POST',
    path: '/internal/command-line-logins/redeem',
    permission: 'internal',
    summary: 'A login session for a command line that was approved',
    input: strict({ login: Id, verifier: Verifier, code: Type.Optional(Code), visit: Visit }),
    output: Finished,
    status: 200,
    errors: ['sign_in_refused'],
  }),
} satisfies Operations;
