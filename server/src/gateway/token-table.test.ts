import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { after, before, test } from 'node:test';
import { startIdentityProvider, type TestIdentityProvider } from '../services/identity/oidc/oidc-provider-for-tests.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let idp: TestIdentityProvider;
let platform: TestPlatform;
const audience = 'https://damask.example';
const now = () => Math.floor(Date.now() / 1_000);

before(async () => {
  idp = await startIdentityProvider();
  platform = await startTestPlatform({ environment: { DAMASK_EGRESS_ALLOW: idp.host } });
  const made = await platform.call('PUT', '/v1/service-accounts/robot', { description: 'CI', role: 'runner' });
  assert.equal(made.status, 200, made.text);
  await putProvider();
});

after(async () => {
  await platform.stop();
  await idp.stop();
});

async function putProvider(more = {}) {
  const put = await platform.call('PUT', '/v1/identity-providers/corp', {
    issuer: idp.issuer,
    client_id: idp.clientId,
    client_secret: idp.clientSecret,
    audience,
    machines: [{ client: 'ci', service_account: 'robot' }],
    ...more,
  });
  assert.equal(put.status, 200, put.text);
}

const good = () => ({ iss: idp.issuer, aud: audience, sub: 'ci', azp: 'ci', iat: now(), exp: now() + 300 });

const bring = (token: string, headers: Record<string, string> = { 'damask-workspace': platform.alpha.id }) =>
  platform.call('GET', '/v1/me', undefined, { key: token, headers });

test('a machine calls with a token of its provider, as its service account', async () => {
  const { status, body } = await bring(await idp.sign(good()));
  assert.equal(status, 200);
  assert.deepEqual([body.actor.kind, body.actor.name, body.actor.role], ['service_account', 'robot', 'runner']);
  const token = await idp.sign(good(), { typ: 'at+jwt' });
  await bring(token);
  const asked = idp.asked.length;
  assert.equal((await bring(token)).status, 200);
  assert.equal(idp.asked.length, asked);
});

test('Z-10: a token names its workspace, and opens no other', async () => {
  const token = await idp.sign(good());
  assert.equal((await bring(token, {})).status, 400);
  assert.equal((await bring(token, { 'damask-workspace': 'alpha' })).status, 400);
  assert.equal((await bring(token, { 'damask-workspace': platform.beta.id })).status, 401);
});

test('A-1: the algorithm is the one that the provider was entered with', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const [jwk] = ((await (await fetch(`${idp.issuer}/jwks`)).json()) as { keys: { kid: string; n: string }[] }).keys;
  const { kid = '' } = jwk ?? {};
  const hmac = (key: string | Buffer, header: object) => {
    const body = `${part({ kid, ...header })}.${part(good())}`;
    return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`;
  };
  const tokens = [
    `${part({ alg: 'none', kid })}.${part(good())}.`,
    `${part({ alg: 'none', kid })}.${part(good())}.AA`,
    `${part({ alg: ['RS256'], kid })}.${part(good())}.AA`,
    `${part({ kid })}.${part(good())}.AA`,
    hmac(JSON.stringify(jwk), { alg: 'HS256' }),
    hmac(idp.publicPem(), { alg: 'HS256' }),
    hmac(Buffer.from(jwk?.n ?? '', 'base64url'), { alg: 'HS256' }),
    await idp.sign(good(), { alg: 'PS256' }),
    await idp.sign(good(), { alg: 'RS512' }),
  ];
  for (const token of tokens) assert.equal((await bring(token)).status, 401, token.slice(0, 60));
});

test('A-2: nothing in the head of a token leads anywhere', async () => {
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const forge = (header: object) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const body = `${part({ alg: 'RS256', ...header })}.${part(good())}`;
    return `${body}.${signWith('sha256', Buffer.from(body), stranger.privateKey).toString('base64url')}`;
  };
  const asked = idp.asked.length;
  for (const header of [
    { jku: `${idp.issuer}/evil` },
    { x5u: `${idp.issuer}/evil` },
    { jwk: stranger.publicKey.export({ format: 'jwk' }) },
    { x5c: ['AAAA'] },
    { kid: '../../dev/null' },
    { kid: "x' or '1'='1" },
    { kid: 7 },
    { crit: ['exp'] },
  ]) {
    assert.equal((await bring(forge(header))).status, 401);
  }
  assert.equal(idp.asked.length, asked);
  assert.equal((await bring(forge({}))).status, 401);
});

test('A-3: only an access token for us, from a machine that was named, in its time', async () => {
  const refused: [object, object?][] = [
    [{ iss: 'https://other.example' }],
    [{ aud: idp.clientId }],
    [{ aud: undefined }],
    [{ azp: 'somebody' }],
    [{ azp: undefined }],
    [{ sub: undefined }],
    [{ nonce: 'n' }],
    [{ at_hash: 'h' }],
    [{ typ: 'Refresh' }],
    [{ typ: 'ID' }],
    [{ token_use: 'id' }],
    [{ exp: now() - 61 }],
    [{ nbf: now() + 120 }],
    [{ iat: now() + 120 }],
    [{ exp: String(now() + 300) }],
    [{ exp: 1e15 }],
    [{ exp: undefined }],
    [{}, { typ: 'rt+jwt' }],
    [{}, { typ: 'logout+jwt' }],
  ];
  for (const [claims, header] of refused) {
    const token = await idp.sign({ ...good(), ...claims } as never, header as never);
    assert.equal((await bring(token)).status, 401, JSON.stringify([claims, header]));
  }
  assert.equal(
    (await bring(await idp.sign({ ...good(), iat: now() - 300, exp: now() - 30 }))).status,
    200,
    'clocks may differ a little',
  );
});

test('a token ends with its provider, its machine and its service account, at once', async () => {
  const token = await idp.sign(good());
  assert.equal((await bring(token)).status, 200);
  await putProvider({ machines: [{ client: 'other', service_account: 'robot' }] });
  assert.equal((await bring(token)).status, 401);
  await putProvider();
  const next = await idp.sign({ ...good(), jti: 'next' });
  assert.equal((await bring(next)).status, 200);
  await platform.call('DELETE', '/v1/service-accounts/robot');
  assert.equal((await bring(next)).status, 401);
  await platform.call('PUT', '/v1/service-accounts/robot', { description: 'CI', role: 'runner' });
  await platform.call('DELETE', '/v1/identity-providers/corp');
  assert.equal((await bring(next)).status, 401);
  await putProvider();
});
