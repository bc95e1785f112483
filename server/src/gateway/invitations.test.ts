import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { browserForTests, newBrowser } from './browser-for-tests.ts';

let platform: TestPlatform;
let pool: pg.Pool;
before(async () => {
  platform = await startTestPlatform();
  pool = new pg.Pool({ ...platform.connection, max: 1 });
});
after(async () => {
  await pool.end();
  await platform.stop();
});

const day = 86_400_000;
const sql = async (text: string, values: unknown[] = []) => (await pool.query(text, values)).rows;
const secretOf = (url: string) => url.slice(url.indexOf('#invitation=') + '#invitation='.length);

async function invite(body: object = {}, key = platform.alpha.ownerKey) {
  const reply = await platform.call('POST', '/v1/invitations', { role: 'author', ...body }, { key });
  assert.equal(reply.status, 201, reply.text);
  return { ...reply.body, secret: secretOf(reply.body.url), requestId: reply.headers.get('x-request-id') };
}

/** Somebody new, in a browser of their own. */
async function accept(secret: string, name = 'Ada') {
  const browser = newBrowser(platform);
  const reply = await browser.call('POST', '/v1/login/invitation', { secret, name });
  return { ...browser, reply };
}

const within = (workspace = platform.alpha) => ({ 'damask-workspace': workspace.id });
const memberOf = async (id: string) => (await platform.call('GET', `/v1/members/${id}`)).body;
const stateOf = async (id: string) => (await platform.call('GET', `/v1/invitations/${id}`)).body.state;
const left = async (table: 'audit' | 'outbox', column: string, requestId: unknown) =>
  (
    await sql(`select ${column} as what from identity.${table} where request_id = $1 and workspace = $2 order by id`, [
      requestId,
      platform.alpha.id,
    ])
  ).map(({ what }) => what);

test('somebody is invited, tells a name and is a member who is signed in', async () => {
  const made = await invite({ email: 'ada@example.com', name: 'Ada L.' });
  assert.match(made.url, /^http:\/\/localhost:\d+\/account#invitation=dmi_[\w-]{43}$/);
  assert.ok(Math.abs(Date.parse(made.expires_at) - Date.now() - 7 * day) < 60_000);
  const shown = await newBrowser(platform).call('POST', '/v1/login/invitation/options', { secret: made.secret });
  assert.deepEqual(shown.body, {
    workspace: 'alpha',
    role: 'author',
    email: 'ada@example.com',
    name: 'Ada L.',
    invited_by: shown.body.invited_by,
    expires_at: made.expires_at,
    provider_only: false,
    providers: [],
  });
  const { reply, call } = await accept(made.secret, ' Ada Lovelace ');
  assert.equal(reply.status, 200, reply.text);
  assert.match(
    reply.headers.get('set-cookie') ?? '',
    /^damask=dms_[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/,
  );
  const { id, name, email } = reply.body.account;
  assert.deepEqual([name, email], ['Ada Lovelace', 'ada@example.com']);
  const me = await call('GET', '/v1/me', undefined, within());
  assert.deepEqual([me.status, me.body.actor.role], [200, 'author']);
  const member = await memberOf(id);
  assert.deepEqual([member.source, member.role], ['invitation', 'author']);
  const [account] = await sql('select email_verified from identity.account where id = $1', [id]);
  assert.equal(account.email_verified, false);
  const ended = (await platform.call('GET', `/v1/invitations/${made.id}`)).body;
  assert.deepEqual([ended.state, ended.member], ['accepted', id]);
  assert.doesNotMatch(JSON.stringify(ended), /dmi_|hash/);
  const request = reply.headers.get('x-request-id');
  assert.deepEqual(await left('audit', 'action', request), ['acceptInvitation', 'addMember', 'signIn']);
  assert.deepEqual(await left('outbox', 'name', request), [
    'identity.invitation-accepted',
    'identity.member-added',
    'identity.member-signed-in',
  ]);
  assert.deepEqual(await left('audit', 'action', made.requestId), ['createInvitation']);
  assert.deepEqual(await left('outbox', 'name', made.requestId), ['identity.invitation-created']);
  const stored = await sql('select to_jsonb(i) as row from identity.invitation as i where id = $1', [made.id]);
  assert.ok(!JSON.stringify(stored).includes(made.secret));
});

test('Z-5: nobody invites with a role above their own, or by a key that is narrowed, or revokes such an invitation', async () => {
  const admin = await platform.keyFor('admin');
  const ask = (role: string, key: string) => platform.call('POST', '/v1/invitations', { role }, { key });
  assert.equal((await ask('admin', admin)).status, 201);
  const above = await ask('owner', admin);
  assert.deepEqual([above.status, above.body.code, above.body.need], [403, 'forbidden', 'role:owner']);
  await platform.call('PUT', '/v1/roles/directory', { permissions: ['scim:write'] });
  assert.equal((await ask('custom:directory', admin)).body.need, 'scim:write');
  const narrow = { name: 'narrow', role: 'admin', patterns: ['one'] };
  const { body: held } = await platform.call('POST', '/v1/keys', narrow);
  assert.deepEqual(
    [(await ask('viewer', held.key)).status, (await ask('viewer', held.key)).body.need],
    [403, 'reach:all'],
  );
  const few = { name: 'few', role: 'admin', scopes: ['member:write', 'run:read'] };
  const { body: scoped } = await platform.call('POST', '/v1/keys', few);
  assert.equal((await ask('viewer', scoped.key)).status, 403);
  const owners = await invite({ role: 'owner' });
  assert.equal((await platform.call('DELETE', `/v1/invitations/${owners.id}`, undefined, { key: admin })).status, 403);
  assert.equal(await stateOf(owners.id), 'open');
  assert.equal((await ask('custom:nobodys', platform.alpha.ownerKey)).status, 404);
});

test('what is no invitation, or none any more, is told the same', async () => {
  const told = async (secret: string) => {
    const { body, headers } = (await accept(secret)).reply;
    assert.equal(headers.get('set-cookie'), null);
    const shown = await newBrowser(platform).call('POST', '/v1/login/invitation/options', { secret });
    assert.equal(shown.body.detail, body.detail);
    const { request_id: _, ...same } = body;
    return same;
  };
  const used = await invite();
  assert.equal((await accept(used.secret)).reply.status, 200);
  const refused = await told(used.secret);
  assert.deepEqual([refused.status, refused.code], [401, 'sign_in_refused']);
  const revoked = await invite();
  const gone = await platform.call('DELETE', `/v1/invitations/${revoked.id}`);
  assert.deepEqual([gone.status, gone.body.state], [200, 'revoked']);
  assert.deepEqual(await left('audit', 'action', gone.headers.get('x-request-id')), ['revokeInvitation']);
  assert.deepEqual(await left('outbox', 'name', gone.headers.get('x-request-id')), ['identity.invitation-revoked']);
  const again = await platform.call('DELETE', `/v1/invitations/${revoked.id}`);
  assert.deepEqual([again.status, await left('audit', 'action', again.headers.get('x-request-id'))], [200, []]);
  const late = await invite();
  await sql(`update identity.invitation set expires_at = now() - interval '1 s' where id = $1`, [late.id]);
  assert.equal(await stateOf(late.id), 'expired');
  const nothing = [`dmi_${'A'.repeat(43)}`, "' or 1=1 --", used.secret.toLowerCase(), `dml_${used.secret.slice(4)}`];
  for (const secret of [revoked.secret, late.secret, ...nothing]) assert.deepEqual(await told(secret), refused, secret);
});

test('of two who accept one invitation at once, one becomes a member', async () => {
  const { secret, id } = await invite();
  const count = async () => (await sql('select count(*)::int as n from identity.account'))[0].n;
  const before = await count();
  const both = await Promise.all([accept(secret, 'One'), accept(secret, 'Two'), accept(secret, 'Three')]);
  assert.deepEqual(both.map(({ reply }) => reply.status).sort(), [200, 401, 401]);
  assert.equal(await count(), before + 1);
  assert.equal(await stateOf(id), 'accepted');
});

test('an invitation that is accepted and revoked at once is one of the two', async () => {
  for (let tries = 0; tries < 5; tries++) {
    const { secret, id } = await invite();
    const [{ reply }] = await Promise.all([accept(secret), platform.call('DELETE', `/v1/invitations/${id}`)]);
    assert.equal(await stateOf(id), reply.status === 200 ? 'accepted' : 'revoked');
  }
});

test('an invitation ends with what its inviter may give', async () => {
  const boss = await accept((await invite({ role: 'admin' })).secret, 'Boss');
  const { id } = boss.reply.body.account;
  const inviting = async (role = 'author') => {
    const { body } = await boss.call('POST', '/v1/invitations', { role }, within());
    return secretOf(body.url);
  };
  const refused = async (secret: string) => assert.equal((await accept(secret)).reply.body.code, 'sign_in_refused');
  const secret = await inviting();
  await platform.call('PUT', `/v1/members/${id}`, { role: 'author' });
  await refused(secret);
  await platform.call('PUT', `/v1/members/${id}`, { role: 'admin' });
  await sql('update identity.account set disabled_at = now() where id = $1', [id]);
  await refused(secret);
  await sql('update identity.account set disabled_at = null where id = $1', [id]);
  await platform.call('DELETE', `/v1/members/${id}`);
  // Also when they come back: what they had invited to before is over for good.
  await sql('update identity.member set removed_at = null where account = $1', [id]);
  await refused(secret);
  await platform.call('PUT', '/v1/service-accounts/inviter', { role: 'admin' });
  const program = { name: 'program', role: 'admin', service_account: 'inviter' };
  const { body: programs } = await platform.call('POST', '/v1/keys', program);
  const byProgram = await invite({}, programs.key);
  await platform.call('PUT', '/v1/service-accounts/inviter', { role: 'author' });
  await refused(byProgram.secret);
  const { body: key } = await platform.call('POST', '/v1/keys', { name: 'inviter', role: 'admin' });
  const byKey = await invite({}, key.key);
  await platform.call('PUT', '/v1/roles/guest', { permissions: ['run:read'] });
  const custom = await invite({ role: 'custom:guest' });
  await platform.call('DELETE', '/v1/roles/guest');
  await platform.call('DELETE', `/v1/keys/${key.id}`);
  for (const one of [byKey, custom]) await refused(one.secret);
  assert.equal((await accept((await invite()).secret)).reply.status, 200);
});

test('an invitation lasts no longer than thirty days, or than the key that made it', async () => {
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  const ask = (body: object, key = platform.alpha.ownerKey) =>
    platform.call('POST', '/v1/invitations', { role: 'viewer', ...body }, { key });
  for (const expires_at of [at(31 * day), at(-1_000)]) {
    const { status, body } = await ask({ expires_at });
    assert.deepEqual([status, body.code, body.pointer], [400, 'invalid_request', '/expires_at']);
  }
  for (const [field, value] of [
    ['email', 'no address'],
    ['email', 'ada@corp.example.'],
    ['name', '\u202eada'],
    ['role', 'king'],
    ['secret', 'mine'],
  ] as const) {
    const { status, body } = await ask({ [field]: value });
    assert.deepEqual([status, body.pointer], [400, `/${field}`]);
  }
  const { body: key } = await platform.call('POST', '/v1/keys', { name: 'short', role: 'admin', expires_at: at(day) });
  assert.equal((await ask({}, key.key)).body.expires_at, key.expires_at);
  assert.equal((await ask({ expires_at: at(2 * day) }, key.key)).body.pointer, '/expires_at');
  const blank = await accept((await invite()).secret, ' ');
  assert.deepEqual([blank.reply.status, blank.reply.body.pointer], [400, '/name']);
});

test('who is signed in becomes a member with the account that they have, under a new session', async () => {
  const browser = await browserForTests(platform, { workspace: platform.beta });
  const first = browser.cookie();
  const { secret, id } = await invite();
  const joined = await browser.call('POST', '/v1/me/invitations', { secret });
  assert.equal(joined.status, 200, joined.text);
  assert.equal(joined.body.account.id, browser.login.account.id);
  assert.equal((await browser.call('GET', '/v1/login', undefined, { cookie: first })).status, 401);
  const { workspaces } = (await browser.call('GET', '/v1/login')).body;
  assert.deepEqual(workspaces.map(({ name, role }: { name: string; role: string }) => [name, role]).sort(), [
    ['alpha', 'author'],
    ['beta', 'owner'],
  ]);
  const second = await invite({ role: 'owner' });
  const already = await browser.call('POST', '/v1/me/invitations', { secret: second.secret });
  assert.deepEqual([already.status, already.body.code], [422, 'policy_refused']);
  assert.match(already.body.detail, /member of alpha already/);
  assert.deepEqual([await stateOf(id), await stateOf(second.id)], ['accepted', 'open']);
  assert.equal((await memberOf(joined.body.account.id)).role, 'author');
  // Two different ones at once make one membership, and the other one stays.
  await platform.call('DELETE', `/v1/members/${joined.body.account.id}`);
  const other = await browserForTests(platform, { workspace: platform.beta });
  const [one, two] = [await invite({ role: 'viewer' }), await invite({ role: 'runner' })];
  const both = await Promise.all(
    [one, two].map(({ secret: given }) => other.call('POST', '/v1/me/invitations', { secret: given })),
  );
  assert.equal(both.filter(({ status }) => status === 200).length, 1, JSON.stringify(both.map(({ body }) => body)));
  assert.deepEqual([await stateOf(one.id), await stateOf(two.id)].sort(), ['accepted', 'open']);
});

test('a member who was removed comes back by an invitation, and what they had open before does not', async () => {
  const browser = await browserForTests(platform, { workspace: platform.beta });
  const elsewhere = await browserForTests(platform, { workspace: platform.beta });
  await browser.call('POST', '/v1/me/invitations', { secret: (await invite()).secret });
  const { id } = browser.login.account;
  await platform.call('DELETE', `/v1/members/${id}`);
  assert.equal((await browser.call('GET', '/v1/me', undefined, within())).status, 404);
  const back = await browser.call('POST', '/v1/me/invitations', { secret: (await invite({ role: 'viewer' })).secret });
  assert.equal(back.status, 200, back.text);
  assert.equal((await browser.call('GET', '/v1/me', undefined, within())).body.actor.role, 'viewer');
  assert.equal((await elsewhere.call('GET', '/v1/login')).status, 401);
});

test('A-14: a page of another site, or one without the token, accepts nothing', async () => {
  const browser = await browserForTests(platform, { workspace: platform.beta });
  const { secret, id } = await invite();
  for (const path of ['/v1/me/invitations', '/v1/login/invitation', '/v1/login/invitation/options']) {
    const reply = await browser.call(
      'POST',
      path,
      { secret, ...(path.endsWith('invitation') ? { name: 'x' } : {}) },
      {
        'sec-fetch-site': 'cross-site',
      },
    );
    assert.deepEqual([reply.status, reply.body.code], [403, 'csrf'], path);
  }
  const without = await browser.call('POST', '/v1/me/invitations', { secret }, { 'damask-csrf': '' });
  assert.equal(without.status, 403);
  assert.equal((await browser.call('GET', `/v1/login/invitation?secret=${secret}`)).status, 405);
  assert.equal(await stateOf(id), 'open');
});

test('pages hold each invitation once, newest first, and can be those of one state', async () => {
  const made = [await invite(), await invite(), await invite()].map(({ id }) => id);
  const seen: string[] = [];
  let next = '';
  do {
    const { body } = await platform.call('GET', `/v1/invitations?limit=2&state=open${next && `&cursor=${next}`}`);
    seen.push(...body.items.map(({ id }: { id: string }) => id));
    assert.ok(body.items.every(({ state }: { state: string }) => state === 'open'));
    next = body.next ?? '';
  } while (next !== '');
  assert.deepEqual(seen.slice(0, 3), made.reverse());
  assert.equal(new Set(seen).size, seen.length);
});

test('there are a thousand open invitations at most', async () => {
  await sql(
    `insert into identity.invitation (workspace, id, hash, role, created_at, created_by, inviter, expires_at)
     select $1, gen_random_uuid(), 'many ' || n, 'viewer', now(), gen_random_uuid(), 'key', now() + interval '1 d'
       from generate_series(1, 1000) as n`,
    [platform.beta.id],
  );
  const refused = await platform.call('POST', '/v1/invitations', { role: 'viewer' }, { key: platform.beta.ownerKey });
  assert.deepEqual([refused.status, refused.body.code], [422, 'policy_refused']);
  await sql(`update identity.invitation set expires_at = now() - interval '91 d' where hash like 'many %'`);
  await invite({}, platform.beta.ownerKey);
  const [{ n }] = await sql(`select count(*)::int as n from identity.invitation where hash like 'many %'`);
  assert.equal(n, 900);
});

// The last one: this address has to wait from then on.
test('who tries many secrets is slowed down', async () => {
  const tries = await Promise.all(Array.from({ length: 110 }, () => accept(`dmi_${'B'.repeat(43)}`)));
  assert.ok(tries.some(({ reply }) => reply.status === 429 && Number(reply.headers.get('retry-after')) > 0));
  // Whoever has a valid one gets in all the same.
  assert.equal((await accept((await invite()).secret)).reply.status, 200);
});
