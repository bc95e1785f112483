import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { startIdentityProvider, type TestIdentityProvider } from '../services/identity/oidc/oidc-provider-for-tests.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { browserForTests, newBrowser } from './browser-for-tests.ts';

const publicUrl = 'http://127.0.0.1:7440';

let idp: TestIdentityProvider;
let platform: TestPlatform;
let pool: pg.Pool;
const login = { corp: '', beside: '' };
before(async () => {
  idp = await startIdentityProvider();
  platform = await startTestPlatform({ environment: { DAMASK_EGRESS_ALLOW: idp.host, DAMASK_PUBLIC_URL: publicUrl } });
  pool = new pg.Pool({ ...platform.connection, max: 1 });
  for (const name of ['corp', 'beside'] as const) {
    const { body } = await platform.call('PUT', `/v1/identity-providers/${name}`, {
      issuer: idp.issuer,
      client_id: idp.clientId,
      client_secret: idp.clientSecret,
      scopes: ['email', 'profile', 'groups'],
      roles: [{ group: 'dev', role: 'runner' }],
      ...(name === 'corp' ? { email_domains: ['corp.example'], sso_only: true } : {}),
    });
    login[name] = body.id;
    idp.allowRedirect(body.redirect_uri);
  }
});
after(async () => {
  await pool.end();
  await platform.stop();
  await idp.stop();
});

const sql = async (text: string, values: unknown[] = []) => (await pool.query(text, values)).rows;

async function invite(body: object = {}) {
  const reply = await platform.call('POST', '/v1/invitations', { role: 'author', ...body });
  assert.equal(reply.status, 201, reply.text);
  return { id: reply.body.id as string, secret: String(reply.body.url).split('#invitation=')[1] as string };
}

/** Only the secret of an invitation to the workspace of a key. */
async function asked(key: string) {
  const { body } = await platform.call('POST', '/v1/invitations', { role: 'viewer' }, { key });
  return { secret: String(body.url).split('#invitation=')[1] };
}

const stateOf = async (id: string) => (await platform.call('GET', `/v1/invitations/${id}`)).body.state;

/** A browser that goes to the provider with an invitation, and comes back. `on` happens while it is there. */
async function byProvider(secret: string | null, at = login.corp, on = async () => undefined as unknown) {
  const begun =
    secret === null
      ? await fetch(`${platform.url}/login/oidc/${at}`, { redirect: 'manual' })
      : await fetch(`${platform.url}/v1/login/invitation/provider`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ secret, login: at }),
        });
  const location =
    begun.headers.get('location') ?? ((await begun.json()) as { location?: string; code: string }).location;
  if (location === undefined) return begun;
  assert.ok(secret === null || !location.includes(secret.slice(4)));
  const cookie = begun.headers.getSetCookie()[0]?.split(';')[0] as string;
  assert.ok(secret === null || !cookie.includes(secret.slice(4)));
  const back = await idp.browse(location);
  await on();
  return fetch(back.replace(publicUrl, platform.url), { redirect: 'manual', headers: { cookie } });
}

const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

async function whoIs(answer: Response) {
  const cookie = answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0] as string)
    .find((one) => one.startsWith('damask='));
  const headers = { cookie: String(cookie), 'damask-workspace': platform.alpha.id };
  const { body } = await platform.call('GET', '/v1/me', undefined, { key: null, headers });
  return body.actor as { id: string; role: string };
}

test('an invitation lets somebody in by the provider whom no group lets in, and keeps its role', async () => {
  const { id, secret } = await invite({ email: 'ada@corp.example' });
  const shown = await newBrowser(platform).call('POST', '/v1/login/invitation/options', { secret });
  const providers = [{ login: login.corp, name: 'corp' }];
  assert.deepEqual([shown.body.provider_only, shown.body.providers], [true, providers]);
  idp.person = { sub: 'ada', email: 'ada@corp.example', groups: ['kitchen'] };
  const done = await byProvider(secret);
  assert.deepEqual([done.status, done.headers.get('location')], [303, '/account']);
  const me = await whoIs(done);
  assert.equal(me.role, 'author');
  assert.equal(await stateOf(id), 'accepted');
  const again = await byProvider(null);
  assert.deepEqual([again.status, await whoIs(again)], [303, me]);
});

test('a member who was removed comes back by the provider with an invitation only', async () => {
  idp.person = { sub: 'dora', email: 'dora@corp.example', groups: ['dev'] };
  const { id: account } = await whoIs(await byProvider(null));
  await platform.call('DELETE', `/v1/members/${account}`);
  assert.equal(await codeOf(await byProvider(null)), 'sign_in_refused');
  const revoked = await invite();
  const late = await byProvider(revoked.secret, login.corp, () =>
    platform.call('DELETE', `/v1/invitations/${revoked.id}`),
  );
  assert.equal(await codeOf(late), 'sign_in_refused');
  const { secret } = await invite();
  assert.deepEqual(await whoIs(await byProvider(secret)), { ...(await whoIs(await byProvider(null))), id: account });
  const { body } = await platform.call('GET', `/v1/members/${account}`);
  assert.deepEqual([body.role, body.source], ['author', 'invitation']);
});

test('who is a member signs in by the provider, and the invitation stays', async () => {
  idp.person = { sub: 'fay', email: 'fay@corp.example', groups: ['dev'] };
  await byProvider(null);
  const { id, secret } = await invite({ role: 'admin' });
  assert.equal((await whoIs(await byProvider(secret))).role, 'runner');
  assert.equal(await stateOf(id), 'open');
});

test('A-13: an invitation opens no other way where only a provider may let somebody in', async () => {
  const { id, secret } = await invite({ email: 'Eve@CORP.example' });
  const browser = newBrowser(platform);
  const local = await browser.call('POST', '/v1/login/invitation', { secret, name: 'Eve' });
  assert.deepEqual([local.status, local.body.code], [403, 'sso_required']);
  assert.match(local.body.detail, /identity provider corp only/);
  // Signed in as somebody else, it is still that address; and with no address on it, it is still that account.
  const other = await browserForTests(platform, { workspace: platform.beta });
  assert.equal((await other.call('POST', '/v1/me/invitations', { secret })).body.code, 'sso_required');
  const plain = await invite();
  const { id: account } = other.login.account;
  await sql(`update identity.account set email = 'eve@corp.example' where id = $1`, [account]);
  const joined = await other.call('POST', '/v1/me/invitations', { secret: plain.secret });
  assert.equal(joined.body.code, 'sso_required');
  // Another provider of the workspace is another way too.
  idp.person = { sub: 'eve', email: 'eve@corp.example', groups: ['dev'] };
  assert.equal(await codeOf(await byProvider(secret, login.beside)), 'sso_required');
  assert.deepEqual([await stateOf(id), await stateOf(plain.id)], ['open', 'open']);
  assert.deepEqual(
    await sql('select from identity.member where account = $1 and workspace = $2', [account, platform.alpha.id]),
    [],
  );
  assert.equal((await byProvider(secret)).status, 303);
});

test('whom the directory has taken out, no invitation brings back', async () => {
  idp.person = { sub: 'nils-id', email: 'nils@corp.example', groups: ['dev'] };
  const { id: account } = await whoIs(await byProvider(null));
  const scim = (method: string, path: string, body: object) =>
    platform.call(method, path, body, { headers: { 'content-type': 'application/scim+json' } });
  const ended = await scim('PATCH', `/scim/v2/Users/${account}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', value: { active: false } }],
  });
  assert.equal(ended.status, 200, ended.text);
  const open = await invite();
  assert.equal(await codeOf(await byProvider(open.secret)), 'sign_in_refused');
  // Under another address and subject neither, where the directory knows one of them.
  idp.person = { sub: 'other-id', email: 'Nils@corp.example', groups: ['dev'] };
  assert.equal(await codeOf(await byProvider(open.secret)), 'sign_in_refused');
  const gone = randomUUID();
  await sql(`insert into identity.account (id, name, created_at) values ($1, 'gone', now())`, [gone]);
  await sql(
    `insert into identity.member (workspace, account, role, source, created_at, removed_at)
     values ($1, $2, 'viewer', 'scim', now(), now())`,
    [platform.alpha.id, gone],
  );
  await sql(
    `insert into identity.scim_user (workspace, account, user_name, emails, addresses, created_at, updated_at)
     values ($1, $2, 'olaf@example.com', '[]', '{olaf@example.com}', now(), now())`,
    [platform.alpha.id, gone],
  );
  const mail = await invite({ email: 'Olaf@example.com' });
  const local = await newBrowser(platform).call('POST', '/v1/login/invitation', { secret: mail.secret, name: 'Olaf' });
  assert.deepEqual([local.status, local.body.code], [422, 'policy_refused']);
  assert.match(local.body.detail, /directory/);
  const other = await browserForTests(platform, { workspace: platform.beta });
  await sql(
    `with joined as (insert into identity.member (workspace, account, role, source, created_at, removed_at)
       values ($1, $2, 'viewer', 'oidc', now(), now()) returning account)
     update identity.scim_user set ended_with = array(select account from joined) where account = $3`,
    [platform.alpha.id, other.login.account.id, gone],
  );
  await sql('update identity.account set email = null where id = $1', [other.login.account.id]);
  const joined = await other.call('POST', '/v1/me/invitations', { secret: open.secret });
  assert.deepEqual([joined.status, joined.body.code], [422, 'policy_refused']);
  assert.deepEqual([await stateOf(open.id), await stateOf(mail.id)], ['open', 'open']);
  await sql(`update identity.scim_user set ended_with = '{}' where account = $1`, [gone]);
});

test('A-11: an owner elsewhere gets into no account that was invited from here, by a provider or a directory of theirs', async () => {
  const { ownerKey: key, id: beta } = platform.beta;
  // What a provider says of its people is written down by hand: the tests have one of them only.
  const vouched = await browserForTests(platform, { workspace: platform.beta });
  const { id: owner } = vouched.login.account;
  await sql(`insert into identity.login_identity values ('https://elsewhere.example', 'owner', $1, now())`, [owner]);
  const { id, secret } = await invite();
  const refused = await vouched.call('POST', '/v1/me/invitations', { secret });
  assert.deepEqual([refused.status, refused.body.code, await stateOf(id)], [422, 'policy_refused', 'open']);
  assert.match(refused.body.detail, /identity provider that this workspace does not have/);
  await sql('update identity.login_identity set issuer = $1 where account = $2', [idp.issuer, owner]);
  assert.equal((await vouched.call('POST', '/v1/me/invitations', { secret })).status, 200);
  // Somebody of alpha joins beta, whose owner then calls them by a subject of beta's only provider.
  const mine = newBrowser(platform);
  const entered = await mine.call('POST', '/v1/login/invitation', {
    ...(await asked(platform.alpha.ownerKey)),
    name: 'Una',
  });
  const { id: una } = entered.body.account;
  assert.equal((await mine.call('POST', '/v1/me/invitations', await asked(key))).status, 200);
  const json = { 'content-type': 'application/scim+json' };
  for (const value of [{ externalId: 'una' }, { active: false }, { active: true }]) {
    const change = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', value }],
    };
    const told = await platform.call('PATCH', `/scim/v2/Users/${una}`, change, { key, headers: json });
    assert.equal(told.status, 200, told.text);
  }
  const provider = {
    issuer: idp.issuer,
    client_id: idp.clientId,
    client_secret: idp.clientSecret,
    default_role: 'viewer',
  };
  const { body: corp } = await platform.call('PUT', '/v1/identity-providers/corp', provider, { key });
  idp.allowRedirect(corp.redirect_uri);
  idp.person = { sub: 'una' };
  assert.equal((await byProvider(null, corp.id)).status, 303);
  const [seen] = await sql(`select account from identity.login_identity where subject = 'una'`);
  assert.notEqual(seen.account, una);
  assert.equal(
    (await sql('select from identity.member where account = $1 and workspace = $2', [seen.account, beta])).length,
    1,
  );
  await platform.call('DELETE', '/v1/identity-providers/corp', undefined, { key });
});

test('an invitation goes with a provider of its own workspace only', async () => {
  const { secret } = await invite();
  const theirs = await platform.call(
    'PUT',
    '/v1/identity-providers/theirs',
    { issuer: idp.issuer, client_id: 'x' },
    { key: platform.beta.ownerKey },
  );
  const wrong = await byProvider(secret, theirs.body.id);
  assert.equal(wrong.status, 404);
  const unknown = await byProvider(`dmi_${'A'.repeat(43)}`);
  assert.equal(unknown.status, 401);
});
