import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let platform: TestPlatform;
let cookie = '';
let csrf = '';

before(async () => {
  platform = await startTestPlatform();
  const { body } = await platform.call('POST', '/v1/login-links', {});
  const link = String(body.url).split('#link=')[1];
  const signedIn = await ask('POST', '/v1/login/link', { link });
  cookie = (signedIn.headers.get('set-cookie') as string).split(';')[0] as string;
  csrf = (await ask('GET', '/v1/login', undefined, { cookie })).body.csrf;
});

after(() => platform.stop());

const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  platform.call(method, path, body, { key: null, headers });

/** As the person's browser does, with the page's own headers. */
const browse = (method: string, path: string, body?: unknown) =>
  ask(method, path, body, { cookie, 'damask-csrf': csrf, 'sec-fetch-site': 'same-origin' });

function newVerifier() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

const begin = (more: object = {}) => {
  const { verifier, challenge } = newVerifier();
  return ask('POST', '/v1/login/command-line', { challenge, name: 'laptop', ...more }).then(({ status, body }) => {
    assert.equal(status, 201, JSON.stringify(body));
    return { ...body, verifier, approval: `/v1/me/command-line-logins/${body.user_code}/approval` };
  });
};

const finish = (login: string, verifier: string, code?: string) =>
  ask('POST', `/v1/login/command-line/${login}`, { verifier, ...(code === undefined ? {} : { code }) });

test('a command line without a browser waits until a person approves its code', async () => {
  const { login, verifier, user_code, url, approval } = await begin();
  assert.match(url, new RegExp(`/account/command-line#code=${user_code}$`));
  assert.deepEqual((await finish(login, verifier)).body, { status: 'waiting' });
  const shown = await browse('GET', `/v1/me/command-line-logins/${user_code}`);
  assert.equal(shown.body.name, 'laptop');
  assert.deepEqual((await browse('POST', approval, {})).body, { location: null });
  const made = await finish(login, verifier);
  assert.equal(made.body.status, 'approved');
  const authorization = `Bearer ${made.body.secret}`;
  const who = await ask('GET', '/v1/login', undefined, { authorization });
  assert.equal(who.body.session.kind, 'cli');
  const me = await ask('GET', '/v1/me', undefined, { authorization, 'damask-workspace': platform.alpha.id });
  assert.deepEqual([me.status, me.body.actor.kind], [200, 'member']);
  assert.equal((await finish(login, verifier)).status, 401);
});

test('a command line beside the browser gets a code from it, and nothing without', async () => {
  const state = randomBytes(16).toString('base64url');
  const { login, verifier, approval } = await begin({ port: 40_000, state });
  const { location } = (await browse('POST', approval, {})).body;
  const answer = new URL(location);
  assert.equal(answer.origin, 'http://127.0.0.1:40000');
  assert.equal(answer.searchParams.get('state'), state);
  const code = answer.searchParams.get('code') as string;
  for (const wrong of [undefined, randomBytes(32).toString('base64url')]) {
    assert.equal((await finish(login, verifier, wrong)).status, 401);
  }
  assert.equal((await finish(login, newVerifier().verifier, code)).status, 401);
  assert.equal((await finish(login, verifier, code)).body.status, 'approved');
  assert.equal((await finish(login, verifier, code)).status, 401);
});

test('only a browser approves, with the token of its page, and each code once', async () => {
  const { login, verifier, approval } = await begin();
  assert.equal((await ask('POST', approval, {}, { cookie })).status, 403);
  assert.equal((await platform.call('POST', approval, {})).status, 403);
  assert.equal((await browse('POST', '/v1/me/command-line-logins/BBBB-BBBB/approval', {})).status, 404);
  assert.equal((await browse('POST', approval, {})).status, 200);
  assert.equal((await browse('POST', approval, {})).status, 404);
  const { secret } = (await finish(login, verifier)).body;
  const next = await begin();
  const byCommandLine = await ask('POST', next.approval, {}, { authorization: `Bearer ${secret}` });
  assert.equal(byCommandLine.status, 403);
});

test('bad input is refused, and no more than twenty of an address wait', async () => {
  for (const body of [
    { challenge: 'short', name: 'x' },
    { challenge: newVerifier().challenge, name: 'x\u001b' },
    { challenge: newVerifier().challenge, name: 'x', port: 80, state: 's'.repeat(16) },
    { challenge: newVerifier().challenge, name: 'x', port: 40_000 },
  ]) {
    assert.equal((await ask('POST', '/v1/login/command-line', body)).status, 400);
  }
  const body = () => ({ challenge: newVerifier().challenge, name: 'many' });
  for (let count = 0; count < 25; count++) await ask('POST', '/v1/login/command-line', body());
  assert.equal((await ask('POST', '/v1/login/command-line', body())).status, 429);
});
