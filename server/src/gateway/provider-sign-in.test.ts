import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startIdentityProvider, type TestIdentityProvider } from '../services/identity/oidc/oidc-provider-for-tests.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { passkeyForTests } from './passkey-for-tests.ts';

const publicUrl = 'http://127.0.0.1:7440';

let idp: TestIdentityProvider;
let platform: TestPlatform;

before(async () => {
  idp = await startIdentityProvider();
  platform = await startTestPlatform({ environment: { DAMASK_EGRESS_ALLOW: idp.host, DAMASK_PUBLIC_URL: publicUrl } });
});

after(async () => {
  await platform.stop();
  await idp.stop();
});

async function provider(name: string, more = {}) {
  const { body, status } = await platform.call('PUT', `/v1/identity-providers/${name}`, {
    issuer: idp.issuer,
    client_id: idp.clientId,
    client_secret: idp.clientSecret,
    scopes: ['email', 'profile', 'groups'],
    roles: [{ group: 'dev', role: 'author' }],
    ...more,
  });
  assert.equal(status, 200, JSON.stringify(body));
  idp.allowRedirect(body.redirect_uri);
  return body;
}

/** Asks the platform as a browser does that came by `publicUrl`. */
function visit(url: string, cookies: readonly string[] = [], headers: Record<string, string> = {}, method = 'GET') {
  return fetch(url.replace(publicUrl, platform.url), {
    method,
    redirect: 'manual',
    headers: { ...(cookies.length ? { cookie: cookies.join('; ') } : {}), ...headers },
  });
}

const cookiesOf = (answer: Response) => answer.headers.getSetCookie().map((line) => line.split(';')[0] as string);

/** Up to the answer that the provider sends the browser back with. */
async function comeBack(login: { login_url: string }, query = '') {
  const begun = await visit(`${login.login_url}${query}`);
  assert.equal(begun.status, 303);
  return { back: await idp.browse(begun.headers.get('location') as string), cookies: cookiesOf(begun) };
}

test('a browser signs in at a provider and is known from then on', async () => {
  const login = await provider('corp');
  idp.person = { sub: 'ada', email: 'ada@example.com', groups: ['dev'] };
  const { back, cookies } = await comeBack(login, '?return_to=/docs');
  const done = await visit(back, cookies);
  assert.equal(done.status, 303);
  assert.equal(done.headers.get('location'), '/docs');
  const [cookie = ''] = done.headers.getSetCookie().filter((line) => line.startsWith('damask='));
  assert.match(cookie, /^damask=dms_[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/);
  const me = await visit(
    `${publicUrl}/v1/me`,
    cookiesOf(done).filter((one) => one.startsWith('damask=')),
    {
      'damask-workspace': platform.alpha.id,
    },
  );
  const { actor } = (await me.json()) as { actor: { kind: string; role: string } };
  assert.deepEqual([me.status, actor.kind, actor.role], [200, 'member', 'author']);
});

test('A-4: without the ticket of this browser nobody is signed in and no cookie is set', async () => {
  const login = await provider('tickets');
  idp.person = { sub: 'bob', groups: ['dev'] };
  const { back, cookies } = await comeBack(login);
  const theirs = await comeBack(login);
  const asked = idp.asked.filter((one) => one === 'POST /token').length;
  for (const held of [[], theirs.cookies, [...cookies, ...theirs.cookies], ['damask-sign-in=x']]) {
    const answer = await visit(back, held);
    assert.equal(answer.status, 400);
    assert.equal(((await answer.json()) as { code: string }).code, 'invalid_sign_in');
    assert.deepEqual(answer.headers.getSetCookie(), []);
  }
  assert.equal(idp.asked.filter((one) => one === 'POST /token').length, asked);
  assert.equal((await visit(back, cookies)).status, 303);
  assert.equal((await visit(back, cookies)).status, 400);
});

test('A-5: where the provider leads back to is what the operator set, whatever the request says', async () => {
  const login = await provider('hosts');
  const forged = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example', 'x-forwarded-proto': 'https' };
  const begun = await visit(login.login_url, [], forged);
  const target = new URL(begun.headers.get('location') as string);
  assert.equal(target.searchParams.get('redirect_uri'), login.redirect_uri);
  assert.equal(login.redirect_uri, `${publicUrl}/login/oidc/${login.id}/callback`);
  assert.equal(target.searchParams.get('code_challenge_method'), 'S256');
});

test('a login that nobody knows, and one that was deleted, is not there', async () => {
  const login = await provider('short');
  await platform.call('DELETE', '/v1/identity-providers/short');
  for (const url of [login.login_url, `${publicUrl}/login/oidc/00000000-0000-0000-0000-000000000000`]) {
    assert.equal((await visit(url)).status, 404);
  }
  assert.equal((await visit(login.login_url, [], {}, 'HEAD')).status, 405);
});

test('A-13: where only the provider lets a member in, no other way does, and its keys are the only ones to come', async () => {
  const login = await provider('only', { email_domains: ['sso.example'], sso_only: true });
  idp.person = { sub: 'sven', email: 'sven@SSO.example', groups: ['dev'] };
  const { back, cookies } = await comeBack(login);
  const done = cookiesOf(await visit(back, cookies)).filter((one) => one.startsWith('damask='));
  const workspace = { 'damask-workspace': platform.alpha.id };
  assert.equal((await visit(`${publicUrl}/v1/me`, done, workspace)).status, 200);
  // Another provider of the workspace vouches for the same person: the same account, but not the way that is asked for.
  const other = await provider('beside');
  const second = await comeBack(other);
  const elsewhere = await visit(second.back, second.cookies);
  assert.equal(elsewhere.status, 401);
  await provider('only', { email_domains: ['sso.example'], sso_only: false });
  const open = await comeBack(other);
  const let_in = cookiesOf(await visit(open.back, open.cookies)).filter((one) => one.startsWith('damask='));
  assert.equal((await visit(`${publicUrl}/v1/me`, let_in, workspace)).status, 200);
  await provider('only', { email_domains: ['sso.example'], sso_only: true });
  const refused = await visit(`${publicUrl}/v1/me`, let_in, workspace);
  assert.equal(refused.status, 403);
  assert.equal(((await refused.json()) as { code: string }).code, 'sso_required');
  // Another cookie, and the same way in.
  const { csrf } = (await (await visit(`${publicUrl}/v1/login`, done)).json()) as { csrf: string };
  const write = async (path: string, body: object, cookies: readonly string[]) =>
    fetch(`${platform.url}${path}`, {
      method: 'POST',
      headers: {
        cookie: cookies.join('; '),
        'content-type': 'application/json',
        'sec-fetch-site': 'same-origin',
        'damask-csrf': csrf,
      },
      body: JSON.stringify(body),
    });
  const asked = await write('/v1/me/passkeys/options', {}, done);
  const { options, state } = (await asked.json()) as { options: { challenge: string }; state: string };
  const passkey = passkeyForTests().make({ challenge: options.challenge, origin: publicUrl });
  const added = await write('/v1/me/passkeys', { name: 'laptop', passkey, state }, done);
  assert.equal(added.status, 201);
  assert.equal((await visit(`${publicUrl}/v1/me`, cookiesOf(added), workspace)).status, 200);
});
