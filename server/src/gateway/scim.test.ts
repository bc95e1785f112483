import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { startModelServer } from '../platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let platform: TestPlatform;
let model: Awaited<ReturnType<typeof startModelServer>>;
let pool: pg.Pool;
let key: string;
before(async () => {
  // It never answers: a stream of it stays open until somebody ends it.
  model = await startModelServer(() => undefined);
  platform = await startTestPlatform({ modelUrl: model.url });
  pool = new pg.Pool({ ...platform.connection, max: 1 });
  key = await directoryKey();
});
after(async () => {
  await pool.end();
  await Promise.all([platform.stop(), model.close()]);
});

/** As the guide says: a role that holds this alone, and a key of it. */
async function directoryKey(owner = platform.alpha.ownerKey): Promise<string> {
  const as = { key: owner };
  await platform.call('PUT', '/v1/roles/directory', { permissions: ['scim:write'] }, as);
  const { body } = await platform.call('POST', '/v1/keys', { name: 'directory', role: 'custom:directory' }, as);
  return body.key;
}

const scim = (method: string, path: string, body?: unknown, as = key) =>
  platform.call(method, `/scim/v2${path}`, body, {
    key: as,
    headers: body === undefined ? {} : { 'content-type': 'application/scim+json; charset=utf-8' },
  });
const patchOf = (...Operations: object[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
});
let count = 0;
async function someone(more: object = {}) {
  const userName = `person${count++}@example.com`;
  const reply = await scim('POST', '/Users', { userName, name: { givenName: 'Ada', familyName: 'L' }, ...more });
  assert.equal(reply.status, 201, reply.text);
  return reply.body;
}
const find = async (filter: string) => {
  const { status, body, text } = await scim('GET', `/Users?filter=${encodeURIComponent(filter)}`);
  assert.equal(status, 200, text);
  return body.Resources.map(({ id }: { id: string }) => id);
};
const member = async (id: string) => (await platform.call('GET', `/v1/members/${id}`)).body;
const sql = async (text: string, values: unknown[]) => (await pool.query(text, values)).rows;

/** A login session of the account, as signing in makes one. */
async function signIn(account: string) {
  const secret = `dms_${randomBytes(32).toString('base64url')}`;
  await sql(
    `insert into identity.login_session (id, account, hash, kind, way, user_agent, address, created_at, seen_at, expires_at, idle)
     values (gen_random_uuid(), $1, $2, 'cli', 'link', '', '', now(), now(), now() + interval '1 h', interval '1 h')`,
    [account, createHash('sha256').update(secret).digest('base64')],
  );
  await sql(`update platform.topic set version = version + 1 where name = 'identity.login-sessions'`, []);
  await sql(
    `insert into platform.topic (name, version) values ('identity.login-sessions', 1) on conflict do nothing`,
    [],
  );
  await platform.gateway.refresh();
  const headers = { 'damask-workspace': platform.alpha.id };
  return (method: string, path: string, body?: unknown) => platform.call(method, path, body, { key: secret, headers });
}

test('what is made is told with its address, is a member, and is found again', async () => {
  const reply = await scim('POST', '/Users', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'Grace@Example.com',
    externalId: 'X-1',
    name: { givenName: 'Grace', familyName: 'Hopper' },
    emails: [{ value: 'grace@example.com', type: 'work', primary: true }],
    title: 'Rear admiral',
    active: true,
  });
  assert.equal(reply.status, 201, reply.text);
  assert.equal(reply.headers.get('content-type'), 'application/scim+json');
  const { id, meta, ...user } = reply.body;
  assert.equal(reply.headers.get('location'), meta.location);
  assert.match(meta.location, new RegExp(`/scim/v2/Users/${id}$`));
  assert.deepEqual(user, {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    externalId: 'X-1',
    userName: 'Grace@Example.com',
    name: { givenName: 'Grace', familyName: 'Hopper' },
    emails: [{ value: 'grace@example.com', type: 'work', primary: true }],
    active: true,
    groups: [],
  });
  const { role, source, name } = await member(id);
  assert.deepEqual({ role, source, name }, { role: 'viewer', source: 'scim', name: 'Grace Hopper' });
  for (const filter of [
    'userName eq "grace@example.com"',
    'urn:ietf:params:scim:schemas:core:2.0:User:userName Eq "GRACE@example.com"',
    'externalId eq "X-1"',
    'emails eq "grace@example.com"',
    'emails[type eq "work"].value eq "grace@example.com"',
    'userName sw "grace" and active eq true and emails co "EXAMPLE"',
    `id eq "${id}"`,
  ]) {
    assert.deepEqual(await find(filter), [id], filter);
  }
  assert.deepEqual(await find('externalId eq "x-1"'), []);
  assert.deepEqual(await find('userName eq "grace@example.com" and active eq false'), []);
  const again = await scim('POST', '/Users', { userName: 'GRACE@example.com' });
  assert.deepEqual([again.status, again.body.scimType, again.body.status], [409, 'uniqueness', '409']);
  const left = await sql('select action from identity.audit where subject = $1 order by id', [`member/${id}`]);
  assert.deepEqual(
    left.map(({ action }) => action),
    ['addMember', 'createScimUser'],
  );
  const said = await sql(`select name from identity.outbox where data->>'account' = $1 order by id`, [id]);
  assert.deepEqual(
    said.map(({ name }) => name),
    ['identity.member-added', 'identity.scim-user-put'],
  );
});

test('changes are understood in the forms that directories send', async () => {
  const { id, userName } = await someone({ emails: [{ value: 'old@example.com', type: 'work' }] });
  const patch = async (...operations: object[]) => {
    const reply = await scim('PATCH', `/Users/${id}`, patchOf(...operations));
    assert.equal(reply.status, 200, reply.text);
    return reply.body;
  };
  assert.equal((await patch({ op: 'Replace', path: 'active', value: 'False' })).active, false);
  assert.equal((await patch({ op: 'replace', value: { active: true } })).active, true);
  const named = await patch(
    { op: 'Add', path: 'emails[type eq "work"].value', value: 'new@example.com' },
    { op: 'Add', path: 'emails[type eq "home"].value', value: 'home@example.com' },
    { op: 'Replace', path: 'name.familyName', value: 'Byron' },
    { op: 'Replace', path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department', value: 'Sales' },
    { op: 'Add', path: 'phoneNumbers[type eq "work"].value', value: '555' },
  );
  assert.deepEqual(named.emails, [
    { value: 'new@example.com', type: 'work' },
    { value: 'home@example.com', type: 'home' },
  ]);
  assert.deepEqual(named.name, { givenName: 'Ada', familyName: 'Byron' });
  const mixed = await patch({
    op: 'Replace',
    value: {
      'name.givenName': 'A',
      displayName: 'Ada B',
      'urn:ietf:params:scim:schemas:core:2.0:User:externalId': 'e',
    },
  });
  assert.deepEqual([mixed.name.givenName, mixed.displayName, mixed.externalId], ['A', 'Ada B', 'e']);
  assert.deepEqual((await patch({ op: 'remove', path: 'emails[type eq "home"]' })).emails, [
    { value: 'new@example.com', type: 'work' },
  ]);
  assert.equal((await patch({ op: 'remove', path: 'displayName' })).displayName, undefined);
  const put = await scim('PUT', `/Users/${id}`, { USERNAME: userName, Active: true, name: { formatted: 'Ada' } });
  assert.equal(put.status, 200, put.text);
  assert.deepEqual([put.body.name, put.body.emails, put.body.externalId], [{ formatted: 'Ada' }, [], undefined]);
});

test('A-8: whoever is no longer active loses sessions, keys and open streams within 5 s, and gets none of them back', async (t) => {
  const { id } = await someone();
  await platform.call('PUT', `/v1/members/${id}`, { role: 'admin' });
  const asPerson = await signIn(id);
  const made = await asPerson('POST', '/v1/keys', { name: 'own', role: 'author' });
  assert.equal(made.status, 201, made.text);
  const own = made.body.key as string;
  await platform.call('POST', '/v1/patterns', { name: 'slow', system: 'Wait.' }, { key: own });
  const stream = (as: Record<string, string>) =>
    fetch(`${platform.url}/v1/runs`, {
      method: 'POST',
      headers: { ...as, 'content-type': 'application/json' },
      body: JSON.stringify({ pattern: 'slow', input: 'x', model: 'openai/x', stream: true }),
    });
  const open = await stream({ authorization: `Bearer ${own}` });
  assert.equal(open.status, 200);
  const ended = open.text().catch(() => 'cut off');
  const since = Date.now();
  const reply = await scim('PATCH', `/Users/${id}`, patchOf({ op: 'replace', value: { active: false } }));
  assert.deepEqual([reply.status, reply.body.active], [200, false], reply.text);
  assert.equal((await asPerson('GET', '/v1/me')).status, 401);
  assert.equal((await platform.call('GET', '/v1/me', undefined, { key: own })).status, 401);
  await ended;
  t.diagnostic(`the open stream ended after ${Date.now() - since} ms`);
  assert.equal((await platform.call('GET', `/v1/members/${id}`)).status, 404);
  assert.deepEqual(await find(`id eq "${id}" and active eq false`), [id]);
  await scim('PATCH', `/Users/${id}`, patchOf({ op: 'replace', path: 'active', value: true }));
  assert.equal((await asPerson('GET', '/v1/me')).status, 401);
  assert.equal((await platform.call('GET', '/v1/me', undefined, { key: own })).status, 401);
  assert.equal((await member(id)).role, 'viewer');
});

test('whoever is deleted is gone, and is the same account when the directory names them again', async () => {
  const { id, userName } = await someone({ externalId: 'again' });
  const asPerson = await signIn(id);
  assert.equal((await asPerson('GET', '/v1/me')).status, 200);
  const gone = await scim('DELETE', `/Users/${id}`);
  assert.deepEqual([gone.status, gone.text], [204, '']);
  assert.equal((await asPerson('GET', '/v1/me')).status, 401);
  assert.equal((await scim('GET', `/Users/${id}`)).status, 404);
  assert.equal((await scim('DELETE', `/Users/${id}`)).status, 404);
  assert.deepEqual(await find(`userName eq "${userName}"`), []);
  const other = await scim('POST', '/Users', { userName, externalId: 'somebody else' });
  assert.notEqual(other.body.id, id);
  await scim('DELETE', `/Users/${other.body.id}`);
  const again = await scim('POST', '/Users', { userName, externalId: 'again' });
  assert.deepEqual([again.status, again.body.id, again.body.active], [201, id, true]);
});

test('members who came by themselves are found, and end together with others that have their address', async () => {
  const [jit, local] = await Promise.all(
    (['oidc', 'local'] as const).map(async (source) => {
      const [row] = await sql(
        `with a as (insert into identity.account (id, email, name, created_at)
           values (gen_random_uuid(), 'Twin@example.com', 'Twin', now()) returning id)
         insert into identity.member (workspace, account, role, source, created_at)
           select $1, id, 'author', $2, now() from a returning account`,
        [platform.alpha.id, source],
      );
      return row.account as string;
    }),
  );
  assert.equal((await find('userName eq "twin@example.com"')).length, 2);
  const reply = await scim('PUT', `/Users/${jit}`, { userName: 'twin@EXAMPLE.com', active: false });
  assert.deepEqual([reply.status, reply.body.active], [200, false], reply.text);
  const named = await someone();
  const taken = await scim('PUT', `/Users/${named.id}`, { userName: 'TWIN@example.com' });
  assert.deepEqual([taken.status, taken.body.scimType], [409, 'uniqueness']);
  assert.equal((await platform.call('GET', `/v1/members/${jit}`)).status, 404);
  assert.equal((await platform.call('GET', `/v1/members/${local}`)).status, 404);
  assert.deepEqual(await find('userName eq "twin@example.com"'), [jit]);
  await scim('PATCH', `/Users/${jit}`, patchOf({ op: 'Replace', path: 'active', value: true }));
  const { role, source } = await member(jit as string);
  assert.deepEqual({ role, source }, { role: 'author', source: 'oidc' });
  assert.equal((await platform.call('GET', `/v1/members/${local}`)).status, 404);
});

test('a directory does not take the last owner, and nothing of the change stays', async () => {
  const { id, userName } = await someone();
  await sql(`update identity.member set role = 'owner' where account = $1`, [id]);
  const before = await sql(
    `select id from identity.api_key where workspace = $1 and role = 'owner' and revoked_at is null`,
    [platform.alpha.id],
  );
  await sql('update identity.api_key set revoked_at = now() where id = any($1)', [before.map((row) => row.id)]);
  try {
    for (const [method, body] of [
      ['PATCH', patchOf({ op: 'replace', value: { active: false, displayName: 'Gone' } })],
      ['PUT', { userName, active: false }],
      ['DELETE', undefined],
    ] as const) {
      const reply = await scim(method, `/Users/${id}`, body);
      assert.deepEqual([reply.status, reply.body.code], [422, 'policy_refused'], method);
    }
    const { active, displayName } = (await scim('GET', `/Users/${id}`)).body;
    assert.deepEqual([active, displayName], [true, undefined]);
  } finally {
    await sql('update identity.api_key set revoked_at = null where id = any($1)', [before.map((row) => row.id)]);
  }
});

test('pages are bounded, and a page holds what was asked for', async () => {
  for (let made = 0; made < 3; made++) await someone();
  const page = async (query: string) => (await scim('GET', `/Users?${query}`)).body;
  const all = await page('count=200');
  assert.equal(all.totalResults, all.Resources.length);
  const two = await page('startIndex=2&count=2&attributes=userName');
  assert.deepEqual([two.startIndex, two.itemsPerPage, two.totalResults], [2, 2, all.totalResults]);
  assert.deepEqual(two.Resources.map(Object.keys), [
    ['schemas', 'id', 'userName'],
    ['schemas', 'id', 'userName'],
  ]);
  assert.deepEqual(
    two.Resources.map(({ id }: { id: string }) => id),
    all.Resources.slice(1, 3).map(({ id }: { id: string }) => id),
  );
  assert.deepEqual((await page('count=0')).Resources, []);
  assert.deepEqual((await page('startIndex=-5&count=-1')).startIndex, 1);
  assert.equal((await page('count=999999999')).status, undefined);
  assert.deepEqual((await page('startIndex=999999999')).Resources, []);
  assert.equal('emails' in (await page('count=1&excludedAttributes=emails')).Resources[0], false);
});

test('what is not understood is refused in the form of SCIM', async () => {
  const { id } = await someone();
  const users = `/Users/${id}`;
  const cases: [method: string, path: string, body: unknown, status: number, type: string | undefined][] = [
    ['GET', '/Users?filter=userName', undefined, 400, 'invalidFilter'],
    ['GET', '/Users?filter=hash+eq+%22x%22', undefined, 400, 'invalidFilter'],
    ['GET', '/Users?filter=userName+eq+%22x%22+or+active+eq+true', undefined, 400, 'invalidFilter'],
    ['GET', '/Users?filter=active+eq+%22maybe%22', undefined, 400, 'invalidFilter'],
    ['GET', "/Users?filter=userName+eq+%22x'+or+1%3D1--%22%22", undefined, 400, 'invalidFilter'],
    ['GET', `/Users?filter=${'userName+eq+%22x%22+and+'.repeat(10)}active+eq+true`, undefined, 400, 'invalidFilter'],
    ['POST', '/Users', {}, 400, 'invalidValue'],
    ['POST', '/Users', { userName: 5 }, 400, 'invalidValue'],
    ['POST', '/Users', { userName: 'x'.repeat(256) }, 400, 'invalidValue'],
    ['POST', '/Users', '[]', 400, 'invalidSyntax'],
    ['POST', '/Users', '{', 400, 'invalidSyntax'],
    ['POST', '/Users', '{"userName":"a","userName":"b"}', 400, 'invalidValue'],
    ['PATCH', users, {}, 400, 'invalidValue'],
    ['PATCH', users, patchOf({ op: 'move', path: 'active' }), 400, 'invalidValue'],
    ['PATCH', users, patchOf({ op: 'replace', path: 'emails[', value: 'x' }), 400, 'invalidPath'],
    ['PATCH', users, patchOf({ op: 'replace', path: 'active', value: 'perhaps' }), 400, 'invalidValue'],
    ['PATCH', users, patchOf({ op: 'remove' }), 400, 'noTarget'],
    ['PATCH', users, patchOf({ op: 'remove', path: 'userName' }), 400, 'noTarget'],
    ['GET', '/Users/018f0000-0000-7000-8000-00000000dead', undefined, 404, undefined],
    ['GET', '/Users/nobody', undefined, 400, 'invalidValue'],
    ['GET', '/ResourceTypes/Robot', undefined, 400, 'invalidValue'],
    ['GET', '/Nothing', undefined, 404, undefined],
    ['DELETE', '/Users', undefined, 405, undefined],
  ];
  for (const [method, path, body, status, type] of cases) {
    const reply = await scim(method, path, body);
    const what = `${method} ${path} ${JSON.stringify(body)}: ${reply.text}`;
    assert.deepEqual([reply.status, reply.body.scimType, reply.body.status], [status, type, String(status)], what);
    assert.deepEqual(reply.body.schemas, ['urn:ietf:params:scim:api:messages:2.0:Error'], what);
    assert.equal(reply.headers.get('content-type'), 'application/scim+json', what);
  }
  const plain = await platform.call('POST', '/scim/v2/Users', 'userName=x', {
    key,
    headers: { 'content-type': 'text/plain' },
  });
  assert.equal(plain.status, 415);
  assert.equal((await scim('GET', '/Users', undefined, `${key.slice(0, -6)}aaaaaa`)).status, 401);
});

test('a role without scim:write is refused, and a key that has it alone does nothing else', async () => {
  const refused = await scim('GET', '/Users', undefined, await platform.keyFor('admin'));
  assert.deepEqual([refused.status, refused.body.need], [403, 'scim:write']);
  assert.equal((await platform.call('GET', '/v1/members', undefined, { key })).status, 403);
  assert.equal((await platform.call('POST', '/v1/keys', { name: 'x', role: 'viewer' }, { key })).status, 403);
});

test('a key that reaches some patterns only changes nobody, and nobody gets a role by asking for it', async () => {
  const { body } = await platform.call('POST', '/v1/keys', {
    name: 'narrow',
    role: 'custom:directory',
    patterns: ['slow'],
  });
  const refused = await scim('POST', '/Users', { userName: 'narrow@example.com' }, body.key);
  assert.deepEqual([refused.status, refused.body.need], [403, 'reach:all']);
  const { id } = await someone({
    role: 'owner',
    roles: [{ value: 'owner' }],
    groups: [{ value: 'owners' }],
    id: 'mine',
  });
  const wanted = { role: 'owner', source: 'local', id: 'mine', workspace: platform.beta.id, account: 'mine' };
  const reply = await scim('PATCH', `/Users/${id}`, patchOf({ op: 'add', value: wanted }));
  assert.deepEqual([reply.status, reply.body.id], [200, id]);
  const { role, source } = await member(id);
  assert.deepEqual({ role, source }, { role: 'viewer', source: 'scim' });
});

test('changes at the same time come one after the other', async () => {
  const userName = 'once@example.com';
  const made = await Promise.all(Array.from({ length: 6 }, () => scim('POST', '/Users', { userName })));
  assert.deepEqual(made.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409]);
  const [id] = await find(`userName eq "${userName}"`);
  const set = (active: boolean) => scim('PATCH', `/Users/${id}`, patchOf({ op: 'replace', value: { active } }));
  const replies = await Promise.all([set(false), set(true), set(false), scim('DELETE', `/Users/${id}`), set(true)]);
  assert.ok(
    replies.every(({ status }) => status < 500),
    replies.map(({ text }) => text).join(),
  );
  assert.equal((await scim('GET', `/Users/${id}`)).status, 404);
  assert.equal((await platform.call('GET', `/v1/members/${id}`)).status, 404);
});

test('a directory of another workspace finds and ends nobody here', async () => {
  const { id, userName } = await someone();
  const theirs = await directoryKey(platform.beta.ownerKey);
  const list = await scim('GET', `/Users?filter=${encodeURIComponent(`userName eq "${userName}"`)}`, undefined, theirs);
  assert.equal(list.body.totalResults, 0);
  const answers = [];
  for (const user of [id, '018f0000-0000-7000-8000-00000000dead']) {
    const reply = await scim('PATCH', `/Users/${user}`, patchOf({ op: 'replace', value: { active: false } }), theirs);
    const { request_id: _, ...same } = reply.body;
    answers.push([reply.status, same]);
  }
  assert.deepEqual(answers[0], answers[1]);
  assert.equal((await scim('GET', `/Users/${id}`)).body.active, true);
});

test('what is spoken is described', async () => {
  const config = (await scim('GET', '/ServiceProviderConfig')).body;
  assert.deepEqual([config.patch.supported, config.bulk.supported, config.filter.maxResults], [true, false, 200]);
  assert.equal((await scim('GET', '/ResourceTypes')).body.totalResults, 2);
  assert.equal((await scim('GET', '/ResourceTypes/User')).body.endpoint, '/Users');
  const schema = await scim('GET', '/Schemas/urn:ietf:params:scim:schemas:core:2.0:User');
  assert.equal(schema.body.name, 'User', schema.text);
  assert.equal((await scim('GET', '/Schemas')).body.totalResults, 2);
});
