import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { type IdentityForTests, identityForTests } from '../identity-for-tests.ts';

/** A provider that answers what a test wants: honest ones do not send such tokens. */
const said: { metadata: Record<string, unknown>; idToken: string } = { metadata: {}, idToken: '' };
const visit = { user_agent: 'test', address: '127.0.0.1', previous: null };
const server = createServer((request, response) => {
  const answers: Record<string, unknown> = {
    '/.well-known/openid-configuration': metadata(),
    '/jwks': { keys: [{ ...jwk, kid: 'one', alg: 'RS256', use: 'sig' }] },
    '/token': { access_token: 'nothing', token_type: 'Bearer', id_token: said.idToken },
  };
  request.resume();
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(answers[request.url ?? ''] ?? {}));
});

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

let world: IdentityForTests;
let issuer: string;
let jwk: object;
let own: Key;
let other: Key;

const metadata = () => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  response_types_supported: ['code'],
  id_token_signing_alg_values_supported: ['RS256'],
  authorization_response_iss_parameter_supported: true,
  ...said.metadata,
});

before(async () => {
  const [first, second] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')]);
  own = first.privateKey;
  other = second.privateKey;
  jwk = await exportJWK(first.publicKey);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  issuer = `http://${host}`;
  world = await identityForTests({ publicUrl: 'http://127.0.0.1:7440', allow: [host] });
});

after(async () => {
  server.close();
  server.closeAllConnections();
  await world.stop();
});

let count = 0;
async function provider(from = issuer) {
  const put = await world.identity.putIdentityProvider(world.alpha, {
    identity_provider: `scripted-${count++}`,
    issuer: from,
    client_id: 'damask',
    client_secret: 'a-test-secret-of-the-client',
    default_role: 'viewer',
  });
  return put.id;
}

const sessions = async () =>
  Number((await world.sql<{ n: string }>('select count(*) as n from identity.login_session'))[0]?.n);

/** Begins a sign-in, and comes back with the token that `make` gives for its nonce. */
async function signIn(login: string, make: (claims: JWTPayload) => string | Promise<string>) {
  const begun = await world.identity.beginSignIn(world.system, { login });
  const { searchParams } = new URL(begun.location);
  const now = Math.floor(Date.now() / 1_000);
  const nonce = searchParams.get('nonce');
  said.idToken = await make({ iss: issuer, aud: 'damask', sub: 'ada', nonce, iat: now, exp: now + 300 });
  const query = new URLSearchParams({ code: 'x', state: searchParams.get('state') ?? '', iss: issuer }).toString();
  return world.identity.finishSignIn(world.system, { login, ticket: begun.ticket, query, visit });
}

const signed = (claims: JWTPayload, key = own) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(key);

test('an ID token that is unsigned, old, for somebody else or of another key signs nobody in', async () => {
  const login = await provider();
  const { account } = await signIn(login, (claims) => signed(claims));
  assert.ok(account.id);
  const before = await sessions();
  const tokens: Readonly<Record<string, (claims: JWTPayload) => string | Promise<string>>> = {
    unsigned: (claims) => new UnsecuredJWT(claims).encode(),
    'of another key': (claims) => signed(claims, other),
    'for another client': (claims) => signed({ ...claims, aud: 'somebody-else' }),
    'for several, given to another': (claims) => signed({ ...claims, aud: ['damask', 'x'], azp: 'x' }),
    'for nobody': ({ aud: _aud, ...claims }) => signed(claims),
    'of another issuer': (claims) => signed({ ...claims, iss: 'https://login.example.com' }),
    'that is over': (claims) => signed({ ...claims, exp: Number(claims.iat) - 3_600 }),
    'without an end': ({ exp: _exp, ...claims }) => signed(claims),
    'without a subject': ({ sub: _sub, ...claims }) => signed(claims),
    'for another sign-in': (claims) => signed({ ...claims, nonce: 'of-somebody-else' }),
    'that was changed': async (claims) => {
      const [head, , signature] = (await signed(claims)).split('.');
      const body = Buffer.from(JSON.stringify({ ...claims, sub: 'root' })).toString('base64url');
      return `${head}.${body}.${signature}`;
    },
  };
  for (const [what, make] of Object.entries(tokens)) {
    await assert.rejects(signIn(login, make), { code: 'invalid_sign_in' }, what);
  }
  assert.equal(await sessions(), before);
});

test('metadata that names another issuer signs nobody in', async () => {
  for (const named of ['https://login.example.com', `${issuer}/tenant`, issuer.replace('127.0.0.1', 'localhost')]) {
    // What was read before is kept for ten minutes.
    world.pass(700_000);
    said.metadata = { issuer: named };
    const login = await provider();
    await assert.rejects(world.identity.beginSignIn(world.system, { login }), { code: 'unavailable' }, named);
  }
  said.metadata = {};
});
