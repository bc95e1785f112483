import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Role, rolePermissions, roles } from '@damask/contracts/permissions.ts';
import { hashApiKey, looksLikeApiKey } from '#platform/api-key.ts';
import { identityForTests } from './identity-for-tests.ts';

const { identity, alpha, beta, as, leftBy, sql, system, stop, join } = await identityForTests({ keyLimit: 40 });
after(stop);

const keysOf = (workspace: string) =>
  sql('select * from identity.api_key where workspace = $1 order by id', [workspace]);

test('a key is made, shown once, and stored as its hash only', async () => {
  const before = Date.now();
  const made = await identity.createKey(alpha, {
    name: 'ci 𝄞',
    role: 'runner',
    expires_at: '2999-01-01T01:00:00+01:00',
  });
  assert.ok(looksLikeApiKey(made.key));
  assert.equal(made.prefix, made.key.slice(0, 12));
  assert.equal(made.expires_at, '2999-01-01T00:00:00.000Z');
  assert.equal(made.created_by, alpha.actor.id);
  assert.equal(made.revoked_at, null);
  assert.ok(Date.parse(made.created_at) >= before);
  const { key, ...shown } = made;
  assert.deepEqual(await identity.readKey(alpha, { key: made.id }), shown);
  const stored = await sql<{ hash: string }>('select * from identity.api_key where id = $1', [made.id]);
  assert.equal(stored[0]?.hash, hashApiKey(key));
  for (const table of ['api_key', 'audit', 'outbox', 'workspace']) {
    assert.ok(!JSON.stringify(await sql(`select * from identity.${table}`)).includes(key.slice(14)), table);
  }
});

test('a new key leaves an audit row, an event and a moved topic behind', async () => {
  const topic = () => sql<{ version: string }>(`select version from platform.topic where name = 'identity.keys'`);
  const [before] = await topic();
  const caller = as(alpha, 'owner');
  const { id } = await identity.createKey(caller, { name: 'trail', role: 'viewer' });
  const { requestId: request_id } = caller;
  assert.deepEqual(await leftBy(caller), {
    audit: [
      {
        action: 'createKey',
        subject: `key/${id}`,
        details: { name: 'trail', role: 'viewer', expires_at: null },
        actor_id: alpha.actor.id,
        request_id,
      },
    ],
    events: [{ name: 'identity.key-created', data: { key: id, role: 'viewer' }, request_id }],
  });
  const [now] = await topic();
  assert.equal(Number(now?.version), Number(before?.version) + 1);
});

test('no role passes on more than it holds, and only an owner makes owners', async () => {
  const before = await keysOf(alpha.workspace);
  let refusals = 0;
  for (const creator of roles) {
    const held = new Set<string>(rolePermissions[creator]);
    for (const role of roles) {
      const caller = as(alpha, creator);
      const allowed = rolePermissions[role].every((one) => held.has(one)) && (role !== 'owner' || creator === 'owner');
      if (allowed) {
        assert.equal((await identity.createKey(caller, { name: `${creator} ${role}`, role })).role, role);
        continue;
      }
      refusals += 1;
      await assert.rejects(identity.createKey(caller, { name: 'above', role }), (error: never) => {
        const { code, status, details } = error as { code: string; status: number; details: { need: string } };
        assert.equal(code, 'forbidden');
        assert.equal(status, 403);
        assert.ok(role === 'owner' ? details.need === 'role:owner' : !held.has(details.need));
        return true;
      });
      assert.deepEqual(await leftBy(caller), { audit: [], events: [] });
    }
  }
  assert.equal((await keysOf(alpha.workspace)).length - before.length, roles.length ** 2 - refusals);
  assert.ok(refusals >= 15);
});

test('what a key holds by its role counts, not the name of the role alone', async () => {
  const stripped = { ...as(alpha, 'owner'), permissions: new Set(rolePermissions.viewer) };
  await assert.rejects(identity.createKey(stripped, { name: 'x', role: 'owner' }), { code: 'forbidden' });
  await assert.rejects(identity.createKey(stripped, { name: 'x', role: 'admin' }), { code: 'forbidden' });
});

test('bad input is refused with a pointer and stores nothing', async () => {
  const before = await keysOf(beta.workspace);
  const bad: [object, string][] = [
    [{ role: 'viewer' }, '/name'],
    [{ name: '', role: 'viewer' }, '/name'],
    [{ name: ' \t', role: 'viewer' }, '/name'],
    [{ name: 'a\u001b[2Jb', role: 'viewer' }, '/name'],
    [{ name: 'a\nb', role: 'viewer' }, '/name'],
    [{ name: 'right\u202eleft', role: 'viewer' }, '/name'],
    [{ name: '\u200b', role: 'viewer' }, '/name'],
    [{ name: 'a\ud800', role: 'viewer' }, '/name'],
    [{ name: 'x'.repeat(101), role: 'viewer' }, '/name'],
    [{ name: ['x'], role: 'viewer' }, '/name'],
    [{ name: 'x', role: 'god' }, '/role'],
    [{ name: 'x', role: 'constructor' }, '/role'],
    [{ name: 'x', role: null }, '/role'],
    [{ name: 'x', role: 'viewer', workspace: alpha.workspace }, '/workspace'],
    [{ name: 'x', role: 'viewer', created_by: null }, '/created_by'],
    ...[
      '2020-01-01T00:00:00Z',
      '0001-01-01T00:00:00Z',
      new Date().toISOString(),
      '2999-02-30T00:00:00Z',
      '2999-01-01',
      '2999-01-01T00:00:00',
      '2999-01-01 00:00:00Z',
      'Fri, 01 Jan 2999 00:00:00 GMT',
      '+012999-01-01T00:00:00Z',
      '32472144000000',
      'tomorrow',
      '',
    ].map((expires_at): [object, string] => [{ name: 'x', role: 'viewer', expires_at }, '/expires_at']),
    [{ name: 'x', role: 'viewer', expires_at: 32472144000 }, '/expires_at'],
    [{ name: 'x', role: 'viewer', expires_at: null }, '/expires_at'],
  ];
  for (const [input, pointer] of bad) {
    const call = identity.createKey(beta, input as { name: string; role: Role });
    await assert.rejects(call, (error: { code?: string; details?: { pointer?: string } }) => {
      assert.equal(error.code, 'invalid_request', `${JSON.stringify(input)} ${error}`);
      assert.equal(error.details?.pointer, pointer, JSON.stringify(input));
      return true;
    });
  }
  assert.deepEqual(await keysOf(beta.workspace), before);
});

test('an RFC 3339 time is taken in each of its spellings', async () => {
  for (const [text, time] of [
    ['2999-12-31T23:59:59Z', '2999-12-31T23:59:59.000Z'],
    ['2999-12-31t23:59:59.123456789z', '2999-12-31T23:59:59.123Z'],
    ['2996-02-29T00:00:00.5-05:30', '2996-02-29T05:30:00.500Z'],
  ] as const) {
    assert.equal((await identity.createKey(beta, { name: 'x', role: 'viewer', expires_at: text })).expires_at, time);
  }
});

test('a workspace can have only so many live keys; revoked ones make room', async () => {
  const { workspace, owner_key } = await identity.createWorkspace(system, { name: 'full' });
  const owner = { ...as(alpha, 'owner'), workspace: workspace.id, actor: { ...alpha.actor, id: owner_key.id } };
  let last = '';
  for (let i = 1; i < 40; i++) last = (await identity.createKey(owner, { name: `${i}`, role: 'viewer' })).id;
  const one = { name: 'one more', role: 'viewer' } as const;
  await assert.rejects(identity.createKey(owner, one), { code: 'policy_refused', status: 422 });
  await identity.revokeKey(owner, { key: last });
  await identity.createKey(owner, one);
  await assert.rejects(identity.createKey(owner, one), { code: 'policy_refused' });
});

test('a key is narrowed to scopes, patterns, environments and a pace, and says so', async () => {
  const narrowed = {
    scopes: ['run:execute', 'run:read'] as const,
    patterns: ['mail', 'notes'],
    environments: ['staging'],
    requests_per_minute: 60,
  };
  const made = await identity.createKey(alpha, {
    name: 'narrow',
    role: 'runner',
    ...narrowed,
    scopes: [...narrowed.scopes],
  });
  for (const [field, value] of Object.entries(narrowed)) assert.deepEqual(made[field as 'scopes'], value, field);
  const row = (await identity.readKeyTable(system, {})).items.find(({ id }) => id === made.id);
  assert.deepEqual([row?.scopes, row?.patterns, row?.environments, row?.requests_per_minute], Object.values(narrowed));
});

test('scopes let somebody with few permissions pass those on, and nothing else', async () => {
  const few = { ...as(alpha, 'admin'), permissions: new Set(['key:write', 'run:read', 'run:execute'] as const) };
  const made = await identity.createKey(few, { name: 'x', role: 'author', scopes: ['run:read', 'run:read'] });
  assert.deepEqual(made.scopes, ['run:read']);
  await assert.rejects(identity.createKey(few, { name: 'x', role: 'author' }), { code: 'forbidden' });
  await assert.rejects(identity.createKey(few, { name: 'x', role: 'author', scopes: ['pattern:read'] }), {
    code: 'forbidden',
  });
  await assert.rejects(identity.createKey(alpha, { name: 'x', role: 'viewer', scopes: ['run:execute'] }), {
    code: 'invalid_request',
  });
  await assert.rejects(identity.createKey(alpha, { name: 'x', role: 'owner', scopes: ['run:execute'] }), {
    code: 'invalid_request',
  });
});

test('Z-5: the child of a narrowed key is no wider, whatever it asks for', async () => {
  const reach = { patterns: ['a', 'b'], environments: ['dev'], teams: [], requestsPerMinute: 10 };
  const narrow = { ...as(alpha, 'admin'), reach };
  const ask = (more: object) => identity.createKey(narrow, { name: 'child', role: 'viewer', ...more });
  const inherited = await ask({});
  assert.deepEqual(
    [inherited.patterns, inherited.environments, inherited.requests_per_minute],
    [reach.patterns, reach.environments, 10],
  );
  const smaller = await ask({ patterns: ['b'], requests_per_minute: 3 });
  assert.deepEqual([smaller.patterns, smaller.requests_per_minute], [['b'], 3]);
  for (const more of [{ patterns: ['a', 'c'] }, { environments: ['dev', 'production'] }, { requests_per_minute: 11 }]) {
    await assert.rejects(ask(more), { code: 'forbidden' }, JSON.stringify(more));
  }
});

test('the key of a member is theirs, and so is each key that it makes', async () => {
  const ada = await join(alpha, 'admin');
  const first = await identity.createKey(ada, { name: 'mine', role: 'admin' });
  assert.deepEqual([first.member, first.created_by], [ada.actor.id, ada.actor.id]);
  const withIt = { ...ada, actor: { ...ada.actor, kind: 'key' as const, id: first.id } };
  assert.equal((await identity.createKey(withIt, { name: 'second', role: 'viewer' })).member, ada.actor.id);
  const nobodys = { ...as(alpha, 'admin'), actor: { ...alpha.actor, serviceAccount: ada.actor.id } };
  await assert.rejects(identity.createKey(nobodys, { name: 'x', role: 'viewer' }), { code: 'not_found' });
});
