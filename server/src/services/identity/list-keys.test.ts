import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { identityForTests } from './identity-for-tests.ts';

const { identity, alpha, beta, stop, system } = await identityForTests();
after(stop);

const made: string[] = [alpha.actor.id];
for (let i = 0; i < 60; i++) made.unshift((await identity.createKey(alpha, { name: `key ${i}`, role: 'viewer' })).id);

test('pages hold every key once, newest first, and the last one says so', async () => {
  for (const limit of [1, 7, 60, 61, 200]) {
    const seen: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await identity.listKeys(alpha, { limit, ...(cursor ? { cursor } : {}) });
      assert.ok(page.items.length <= limit);
      seen.push(...page.items.map((key) => key.id));
      cursor = page.next;
      pages += 1;
    } while (cursor);
    assert.deepEqual(seen, made);
    assert.equal(pages, Math.ceil(61 / limit));
  }
});

test('a list is bounded when nobody asks for it', async () => {
  assert.equal((await identity.listKeys(alpha, {})).items.length, 50);
});

test('a key that is made between two pages neither repeats nor hides another', async () => {
  const first = await identity.listKeys(alpha, { limit: 10 });
  made.unshift((await identity.createKey(alpha, { name: 'between', role: 'viewer' })).id);
  const second = await identity.listKeys(alpha, { limit: 10, cursor: first.next as string });
  assert.deepEqual(
    [...first.items, ...second.items].map((key) => key.id),
    made.slice(1, 21),
  );
});

test('neither a secret nor a hash is listed', async () => {
  const { items } = await identity.listKeys(alpha, {});
  assert.deepEqual(Object.keys(items[0] as object).sort(), [
    'created_at',
    'created_by',
    'environments',
    'expires_at',
    'id',
    'last_used_at',
    'member',
    'name',
    'patterns',
    'prefix',
    'requests_per_minute',
    'revoked_at',
    'role',
    'scopes',
    'service_account',
  ]);
});

test('Z-1: a cursor of another workspace, of a stranger or of nobody is refused', async () => {
  const { next } = await identity.listKeys(alpha, { limit: 5 });
  for (const [caller, cursor] of [
    [beta, next as string],
    [alpha, `${next}x`],
    [alpha, alpha.actor.id],
    [alpha, ''],
    [alpha, '0'],
  ] as const) {
    await assert.rejects(identity.listKeys(caller, { cursor }), { code: 'invalid_cursor', status: 400 });
  }
  assert.equal((await identity.listKeys(beta, {})).items.length, 1);
});

test('limits outside the contract are refused', async () => {
  for (const limit of [0, -1, 201, 1e9, 1.5, Number.NaN]) {
    await assert.rejects(identity.listKeys(alpha, { limit }), { code: 'invalid_request' });
  }
});

test('a key says to the minute when it was last used, and never an earlier time', async () => {
  const { id } = await identity.createKey(alpha, { name: 'used', role: 'viewer' });
  const note = (at: string, workspace = alpha.workspace) =>
    identity.noteKeyUses(system, { at, uses: [{ workspace, key: id }] });
  assert.equal((await identity.readKey(alpha, { key: id })).last_used_at, null);
  await note('2031-01-01T12:35:00.000Z');
  await note('2031-01-01T12:34:00.000Z');
  await note('2031-01-01T12:36:00.000Z', beta.workspace);
  assert.equal((await identity.readKey(alpha, { key: id })).last_used_at, '2031-01-01T12:35:00.000Z');
});
