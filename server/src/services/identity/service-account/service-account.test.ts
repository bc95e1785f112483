import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { CallContext } from '#platform/call.ts';
import { identityForTests } from '../identity-for-tests.ts';

const { identity, alpha, as, leftBy, system, stop } = await identityForTests();
after(stop);

const forbidden = { code: 'forbidden' };
const edgeKey = async (id: string) => (await identity.readKeyTable(system, {})).items.find((key) => key.id === id);

test('a service account has keys that name it, hold no more than it does and end with it', async () => {
  const caller = as(alpha, 'admin');
  const made = await identity.putServiceAccount(caller, { service_account: 'ci', role: 'runner', description: 'CI' });
  const key = await identity.createKey(caller, { name: 'ci key', role: 'runner', service_account: 'ci' });
  assert.deepEqual([key.service_account, key.member], ['ci', null]);
  assert.equal((await edgeKey(key.id))?.service_account, made.id);
  await assert.rejects(identity.createKey(caller, { name: 'x', role: 'author', service_account: 'ci' }), {
    code: 'policy_refused',
  });
  const { role, id } = await identity.putServiceAccount(caller, { service_account: 'ci', role: 'viewer' });
  assert.deepEqual([role, id], ['viewer', made.id]);
  await identity.deleteServiceAccount(caller, { service_account: 'ci' });
  assert.ok((await identity.readKey(alpha, { key: key.id })).revoked_at);
  assert.equal(await edgeKey(key.id), undefined);
  await assert.rejects(identity.createKey(caller, { name: 'x', role: 'viewer', service_account: 'ci' }), {
    code: 'not_found',
  });
  const put = ['service-account-put', 'key-created', 'service-account-put', 'actors-stopped'];
  const said = [...put, 'service-account-deleted', 'actors-stopped'];
  assert.deepEqual(
    (await leftBy(caller)).events.map(({ name }) => name),
    said.map((name) => `identity.${name}`),
  );
});

test('a service account is never an owner, above its maker, or changed by itself or from below', async () => {
  const account = await identity.putServiceAccount(alpha, { service_account: 'strong', role: 'admin' });
  await assert.rejects(identity.putServiceAccount(alpha, { service_account: 'x', role: 'owner' }), {
    code: 'invalid_request',
  });
  const low: CallContext = { ...as(alpha, 'author'), permissions: new Set(['member:write', 'run:read']) };
  await assert.rejects(identity.putServiceAccount(low, { service_account: 'x', role: 'runner' }), forbidden);
  await assert.rejects(identity.putServiceAccount(low, { service_account: 'strong', role: 'viewer' }), forbidden);
  await assert.rejects(identity.deleteServiceAccount(low, { service_account: 'strong' }), forbidden);
  const itself = as(alpha, 'admin');
  const asKey = { ...itself, actor: { ...itself.actor, serviceAccount: account.id } };
  await assert.rejects(identity.putServiceAccount(asKey, { service_account: 'strong', role: 'viewer' }), forbidden);
  const { items } = await identity.listServiceAccounts(alpha, {});
  assert.deepEqual(
    items.map(({ name, role }) => [name, role]),
    [['strong', 'admin']],
  );
});

test('a key that is made with the key of a service account is its key too', async () => {
  const account = await identity.putServiceAccount(alpha, { service_account: 'maker', role: 'admin' });
  const caller = {
    ...as(alpha, 'admin'),
    actor: { ...alpha.actor, role: 'admin' as const, serviceAccount: account.id },
  };
  const made = await identity.createKey(caller, { name: 'child', role: 'viewer' });
  assert.equal(made.service_account, 'maker');
  await identity.deleteServiceAccount(alpha, { service_account: 'maker' });
  await assert.rejects(identity.createKey(caller, { name: 'late', role: 'viewer' }), { code: 'not_found' });
});
