import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '../platform/clock.ts';
import { startModelServer } from '../platform/testing/model-server.ts';
import { type Reply, startTestPlatform, type TestPlatform, type TestWorkspace } from '../testing/test-platform.ts';
import { browserForTests, newLink } from './browser-for-tests.ts';

let platform: TestPlatform;
let model: Awaited<ReturnType<typeof startModelServer>>;
let pool: pg.Pool;
before(async () => {
  model = await startModelServer((call, answer) => {
    if (call.messages.at(-1)?.content !== 'slow') answer.say('short');
  });
  platform = await startTestPlatform({ modelUrl: model.url });
  pool = new pg.Pool({ ...platform.connection, max: 1 });
});
after(async () => {
  await pool.end();
  await Promise.all([platform.stop(), model.close()]);
});

const link = (workspace = platform.alpha) => newLink(platform, workspace.ownerKey);
const signedIn = (options: { link?: string; workspace?: TestWorkspace } = {}) => browserForTests(platform, options);

test('A-7: a one-time link gives a new session in a cookie that scripts and other pages do not get, and ends the one before', async () => {
  const browser = await signedIn();
  const set = browser.entered.headers.get('set-cookie') ?? '';
  assert.match(set, /^damask=dms_[\w-]{43}; Max-Age=12\d{5}; Path=\/; HttpOnly; SameSite=Lax$/);
  assert.equal(browser.login.account.name, 'owner');
  assert.deepEqual(browser.login.workspaces, [{ id: platform.alpha.id, name: 'alpha', role: 'owner' }]);
  const first = browser.cookie();
  const again = await browser.call('POST', '/v1/login/link', { link: await link() });
  assert.equal(again.status, 200);
  assert.notEqual(browser.cookie(), first);
  assert.equal((await browser.call('GET', '/v1/login', undefined, { cookie: first })).status, 401);
  assert.equal((await browser.call('GET', '/v1/login')).status, 200);
  // One that was planted before is not taken over.
  const planted = `damask=dms_${'a'.repeat(43)}`;
  const fixed = await browser.call('POST', '/v1/login/link', { link: await link() }, { cookie: planted });
  assert.equal(fixed.status, 200);
  assert.equal((await browser.call('GET', '/v1/login', undefined, { cookie: planted })).status, 401);
});

test('a link signs in once, and everything that is no live link is told the same', async () => {
  const once = await link();
  assert.equal((await signedIn({ link: once })).entered.status, 200);
  const told = async (text: string) => {
    const { entered } = await signedIn({ link: text });
    assert.equal(entered.headers.get('set-cookie'), null);
    const { request_id: _, ...same } = entered.body;
    return same;
  };
  const used = await told(once);
  assert.equal(used.code, 'sign_in_refused');
  assert.deepEqual(await told(`dml_${'A'.repeat(43)}`), used);
  assert.deepEqual(await told("' or 1=1 --"), used);
  const late = await link();
  await pool.query(`update identity.login_link set expires_at = now() - interval '1 s' where used_at is null`);
  assert.deepEqual(await told(late), used);
  const twice = await link();
  const both = await Promise.all([signedIn({ link: twice }), signedIn({ link: twice })]);
  assert.deepEqual(both.map(({ entered }) => entered.status).sort(), [200, 401]);
});

test('Z-10: a member names exactly one workspace, one of its own, and then is what its role says', async () => {
  const browser = await signedIn();
  const read = (headers: Record<string, string>) => browser.call('GET', '/v1/me', undefined, headers);
  for (const named of [undefined, '', 'alpha', `${platform.alpha.id}, ${platform.alpha.id}`, `${platform.alpha.id},`]) {
    const { status, body } = await read(named === undefined ? {} : { 'damask-workspace': named });
    assert.deepEqual([status, body.code], [400, 'invalid_request'], named);
  }
  const foreign = await read({ 'damask-workspace': platform.beta.id });
  const unknown = await read({ 'damask-workspace': systemClock.uuid() });
  assert.deepEqual([foreign.status, unknown.status], [404, 404]);
  const me = await read(browser.within);
  assert.equal(me.status, 200);
  assert.equal(me.body.actor.kind, 'member');
  assert.equal(me.body.actor.id, browser.login.account.id);
  assert.equal(me.body.workspace.id, platform.alpha.id);
});

test('A-14: a write with a cookie needs the token and a page of ours, whatever else it brings', async () => {
  const browser = await signedIn();
  const { host } = new URL(platform.url);
  const make = (headers: Record<string, string>, body: unknown = { name: 'x', role: 'viewer' }) => {
    const given = { cookie: browser.cookie(), ...browser.within, 'damask-csrf': browser.csrf(), ...headers };
    return platform.call('POST', '/v1/keys', body, { key: null, headers: given });
  };
  const count = async () => (await platform.call('GET', '/v1/keys?limit=200')).body.items.length;
  const before = await count();
  const same = { 'sec-fetch-site': 'same-origin' };
  const refused: Record<string, string>[] = [
    {},
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: `http://${host}` },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'same-origin, same-origin' },
    { origin: 'null' },
    { origin: 'https://evil.example' },
    { ...same, origin: 'https://evil.example' },
    { ...same, 'damask-csrf': '' },
    { ...same, 'damask-csrf': 'x'.repeat(43) },
    { ...same, 'damask-csrf': (await signedIn()).csrf() },
    { 'sec-fetch-site': 'cross-site', 'content-type': 'text/plain' },
    { 'sec-fetch-site': 'cross-site', 'content-type': 'application/x-www-form-urlencoded' },
    { 'sec-fetch-site': 'cross-site', 'x-http-method-override': 'GET', 'x-method-override': 'GET' },
  ];
  for (const headers of refused) {
    const { status, body } = await make(headers);
    assert.deepEqual([status, body.code], [403, 'csrf'], JSON.stringify(headers));
  }
  assert.equal(await count(), before);
  const overriding = { cookie: browser.cookie(), ...browser.within, 'x-http-method-override': 'DELETE' };
  assert.equal((await platform.call('GET', '/v1/keys', undefined, { key: null, headers: overriding })).status, 200);
  assert.equal((await make(same)).status, 201);
  assert.equal((await make({ origin: platform.url })).status, 201);
  assert.equal(await count(), before + 2);
  const signIn = async (headers: Record<string, string>) =>
    platform.call('POST', '/v1/login/link', { link: await link() }, { key: null, headers });
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }, { origin: 'null' }]) {
    const reply = await signIn(headers);
    assert.deepEqual([reply.status, reply.headers.get('set-cookie')], [403, null]);
  }
});

test('a cookie and a key at once, two cookies, and a cookie in the wrong place are no credential', async () => {
  const browser = await signedIn();
  const secret = browser.cookie().slice('damask='.length);
  const ask = (key: string | null, headers: Record<string, string>) =>
    platform.call('GET', '/v1/login', undefined, { key, headers });
  const code = async (reply: Promise<Reply>) => (await reply).body.code;
  assert.equal(await code(ask(platform.alpha.ownerKey, { cookie: browser.cookie() })), 'two_credentials');
  assert.equal(
    await code(ask(null, { cookie: `${browser.cookie()}; damask=dms_${'b'.repeat(43)}` })),
    'two_credentials',
  );
  for (const cookie of [
    `damask=${secret}x`,
    'damask=',
    `Damask=${secret}`,
    `__Host-damask=${secret}`,
    `x=damask=${secret}`,
  ])
    assert.equal(await code(ask(null, { cookie })), 'unauthenticated', cookie);
  // The secret of a browser is none of a program.
  assert.equal(await code(ask(secret, {})), 'unauthenticated');
  assert.equal((await ask(null, { cookie: `other=1; ${browser.cookie()}; more="x;y"` })).status, 200);
});

test('only somebody who signed in sees login sessions and passkeys: a key is none', async () => {
  for (const [method, path] of [
    ['GET', '/v1/login'],
    ['DELETE', '/v1/login'],
    ['GET', '/v1/me/login-sessions'],
    ['GET', '/v1/me/passkeys'],
  ] as const) {
    const { status, body } = await platform.call(method, path);
    assert.deepEqual([status, body.code, body.need], [403, 'forbidden', 'account'], path);
  }
});

test('A-8: a session that was ended is refused at once, and so is a stream that it holds open', async () => {
  const [browser, other] = [await signedIn(), await signedIn()];
  const { items } = (await browser.call('GET', '/v1/me/login-sessions')).body;
  const mine = items.filter((one: { current: boolean }) => one.current);
  assert.equal(mine.length, 1);
  const answer = await fetch(new URL('/v1/runs', platform.url), {
    method: 'POST',
    headers: {
      cookie: other.cookie(),
      'sec-fetch-site': 'same-origin',
      'damask-csrf': other.csrf(),
      'content-type': 'application/json',
      ...other.within,
    },
    body: JSON.stringify({ pattern: 'summarize', input: 'slow', stream: true }),
  });
  assert.equal(answer.status, 200);
  const { id } = other.login.session;
  assert.equal((await other.call('GET', '/v1/me', undefined, other.within)).status, 200);
  const ended = await browser.call('DELETE', `/v1/me/login-sessions/${id}`);
  assert.equal(ended.status, 200);
  assert.equal((await other.call('GET', '/v1/me', undefined, other.within)).status, 401);
  assert.match(await answer.text(), /run_cancelled/);
  assert.equal((await browser.call('DELETE', `/v1/me/login-sessions/${id}`)).status, 404);
  const { rows } = await pool.query(
    `select action, actor_id from identity.audit where workspace = $1 and subject = $2 order by id`,
    [platform.alpha.id, `login-session/${id}`],
  );
  assert.deepEqual(
    rows.map(({ action }) => action),
    ['signIn', 'endLoginSession'],
  );
  const events = await pool.query(`select name from identity.outbox where data->>'login_session' = $1 order by id`, [
    id,
  ]);
  assert.deepEqual(
    events.rows.map(({ name }) => name),
    ['identity.member-signed-in', 'identity.login-session-ended'],
  );
});

test('who signs out is out, and the cookie goes', async () => {
  const browser = await signedIn();
  const cookie = browser.cookie();
  const out = await browser.call('DELETE', '/v1/login');
  assert.match(out.headers.get('set-cookie') ?? '', /^damask=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/);
  assert.equal((await browser.call('GET', '/v1/login', undefined, { cookie })).status, 401);
});

test('a session of somebody else is not there', async () => {
  const alpha = await signedIn();
  const beta = await signedIn({ workspace: platform.beta });
  assert.deepEqual(
    beta.login.workspaces.map((one: { name: string }) => one.name),
    ['beta'],
  );
  assert.equal((await beta.call('DELETE', `/v1/me/login-sessions/${alpha.login.session.id}`)).status, 404);
  assert.equal((await alpha.call('GET', '/v1/login')).status, 200);
  const bad = await beta.call('DELETE', '/v1/me/login-sessions/1');
  assert.deepEqual([bad.status, bad.body.code], [400, 'invalid_request']);
});

test('A-8: a disabled account is out at once and gets in by no link', async () => {
  const browser = await signedIn({ workspace: platform.beta });
  const once = await link(platform.beta);
  await pool.query('update identity.account set disabled_at = now() where id = $1', [browser.login.account.id]);
  await pool.query(`update platform.topic set version = version + 1 where name = 'identity.members'`);
  await platform.gateway.refresh();
  assert.equal((await browser.call('GET', '/v1/login')).status, 401);
  assert.equal((await browser.call('GET', '/v1/me', undefined, { 'damask-workspace': platform.beta.id })).status, 401);
  assert.equal((await signedIn({ link: once })).entered.status, 401);
});

test('only who holds all that an owner holds makes a link, and it leads to our own address', async () => {
  const linker = { description: '', permissions: ['login-link:write'] };
  assert.equal((await platform.call('PUT', '/v1/roles/linker', linker)).status, 200);
  const { body: custom } = await platform.call('POST', '/v1/keys', { name: 'linker', role: 'custom:linker' });
  const keys = [custom.key, await platform.keyFor('admin'), await platform.keyFor('runner')];
  for (const key of keys) {
    const { status, body } = await platform.call('POST', '/v1/login-links', {}, { key });
    assert.deepEqual([status, body.code], [403, 'forbidden']);
  }
  const bad = await platform.call('POST', '/v1/login-links', { account: systemClock.uuid() });
  assert.deepEqual([bad.status, bad.body.code], [400, 'invalid_request']);
  const headers = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
  const { body, headers: told } = await platform.call('POST', '/v1/login-links', {}, { headers });
  assert.match(body.url, new RegExp(`^http://localhost:${new URL(platform.url).port}/account#link=dml_[\\w-]{43}$`));
  const { rows } = await pool.query('select action, subject from identity.audit where request_id = $1', [
    told.get('x-request-id'),
  ]);
  assert.equal(rows.length, 1);
  assert.match(rows[0].subject, /^login-link\//);
  const events = await pool.query('select name from identity.outbox where request_id = $1', [told.get('x-request-id')]);
  assert.deepEqual(events.rows, [{ name: 'identity.login-link-created' }]);
});

test('A-8: another role, and the end of the membership, end the login sessions of a member', async () => {
  const browser = await signedIn();
  const { id } = browser.login.account;
  const alone = await platform.call('PUT', `/v1/members/${id}`, { role: 'viewer' });
  assert.equal(alone.status, 200, alone.text);
  assert.equal((await browser.call('GET', '/v1/login')).status, 401);
  assert.equal((await platform.call('PUT', `/v1/members/${id}`, { role: 'owner' })).status, 200);
  const again = await signedIn();
  assert.equal((await platform.call('DELETE', `/v1/members/${id}`)).status, 200);
  assert.equal((await again.call('GET', '/v1/login')).status, 401);
  // The owner key makes another local owner.
  assert.equal((await signedIn()).entered.status, 200);
});
