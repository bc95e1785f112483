import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { identityForTests } from './identity-for-tests.ts';

const { identity, alpha, beta, as, leftBy, sql, system, pass, stop } = await identityForTests();
after(stop);

const unknown = '018f0000-0000-7000-8000-00000000dead';

test('a revoked key stays in the list, says when, and is gone from the key table', async () => {
  const { id } = await identity.createKey(alpha, { name: 'short lived', role: 'runner' });
  const revoked = await identity.revokeKey(alpha, { key: id });
  assert.ok(revoked.revoked_at);
  assert.deepEqual(await identity.readKey(alpha, { key: id }), revoked);
  assert.ok((await identity.listKeys(alpha, {})).items.some((key) => key.id === id));
  assert.ok(!(await identity.readKeyTable(system, {})).items.some((key) => key.id === id));
});

test('revoking leaves an audit row, an event and a moved topic, and only the first time', async () => {
  const { id } = await identity.createKey(alpha, { name: 'twice', role: 'runner' });
  const topic = () => sql(`select version from platform.topic where name = 'identity.keys'`);
  const first = as(alpha, 'owner');
  const answer = await identity.revokeKey(first, { key: id });
  const { requestId: request_id } = first;
  assert.deepEqual(await leftBy(first), {
    audit: [
      {
        action: 'revokeKey',
        subject: `key/${id}`,
        details: { name: 'twice', role: 'runner' },
        actor_id: alpha.actor.id,
        request_id,
      },
    ],
    events: [{ name: 'identity.key-revoked', data: { key: id }, request_id }],
  });
  const moved = await topic();
  pass(60_000);
  const second = as(alpha, 'owner');
  assert.deepEqual(await identity.revokeKey(second, { key: id }), answer);
  assert.deepEqual(await leftBy(second), { audit: [], events: [] });
  assert.deepEqual(await topic(), moved);
});

test('many at once revoke a key once, with one answer', async () => {
  const { id } = await identity.createKey(alpha, { name: 'crowd', role: 'runner' });
  const answers = await Promise.all(Array.from({ length: 8 }, () => identity.revokeKey(alpha, { key: id })));
  assert.equal(new Set(answers.map((answer) => answer.revoked_at)).size, 1);
  const rows = await sql(`select from identity.outbox where name = 'identity.key-revoked' and data->>'key' = $1`, [id]);
  assert.equal(rows.length, 1);
});

test('an unknown key and a key of another workspace have the same answer', async () => {
  const foreign = await identity.createKey(beta, { name: 'theirs', role: 'viewer' });
  const failures = [];
  for (const key of [unknown, foreign.id, beta.actor.id]) {
    const caller = as(alpha, 'owner');
    failures.push(await identity.revokeKey(caller, { key }).catch((error: Error & { code: string }) => error));
    assert.deepEqual(await leftBy(caller), { audit: [], events: [] });
  }
  for (const failure of failures) {
    assert.equal((failure as { code?: string }).code, 'not_found');
    assert.equal((failure as Error).message, (failures[0] as Error).message);
  }
  assert.equal((await identity.readKey(beta, { key: foreign.id })).revoked_at, null);
});

test('bad ids are refused before they reach the database', async () => {
  for (const key of ['', '..', unknown.toUpperCase(), `${unknown} `, `${unknown}\n`, "' or '1'='1", 'null']) {
    await assert.rejects(identity.revokeKey(alpha, { key }), { code: 'invalid_request', details: { pointer: '/key' } });
  }
});

test('an admin revokes the keys of everyone but owners', async () => {
  const admin = as(alpha, 'admin');
  const owner = await identity.createKey(alpha, { name: 'an owner', role: 'owner' });
  await assert.rejects(identity.revokeKey(admin, { key: owner.id }), {
    code: 'forbidden',
    status: 403,
    details: { need: 'role:owner' },
  });
  assert.deepEqual(await leftBy(admin), { audit: [], events: [] });
  assert.equal((await identity.readKey(alpha, { key: owner.id })).revoked_at, null);
  const peer = await identity.createKey(alpha, { name: 'another admin', role: 'admin' });
  assert.ok((await identity.revokeKey(admin, { key: peer.id })).revoked_at);
  assert.ok((await identity.revokeKey(alpha, { key: owner.id })).revoked_at);
});

test('the last owner key cannot be revoked, not even by itself', async () => {
  await assert.rejects(identity.revokeKey(alpha, { key: alpha.actor.id }), { code: 'policy_refused', status: 422 });
  const expiring = await identity.createKey(alpha, {
    name: 'second owner',
    role: 'owner',
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  });
  pass(2 * 3_600_000);
  await assert.rejects(identity.revokeKey(alpha, { key: alpha.actor.id }), { code: 'policy_refused' });
  await identity.revokeKey(alpha, { key: expiring.id });
  await identity.createKey(alpha, { name: 'third owner', role: 'owner' });
  assert.ok((await identity.revokeKey(alpha, { key: alpha.actor.id })).revoked_at);
});

test('two owners who revoke each other at the same moment leave one', async () => {
  for (let round = 0; round < 10; round++) {
    const { workspace, owner_key } = await identity.createWorkspace(system, { name: `duel ${round}` });
    const first = { ...as(beta, 'owner'), workspace: workspace.id };
    const second = await identity.createKey(first, { name: 'second', role: 'owner' });
    const outcomes = await Promise.allSettled([
      identity.revokeKey(first, { key: second.id }),
      identity.revokeKey(first, { key: owner_key.id }),
    ]);
    assert.deepEqual(outcomes.map((outcome) => outcome.status).sort(), ['fulfilled', 'rejected']);
  }
});
