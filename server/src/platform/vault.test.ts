import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import pg from 'pg';
import { AppError } from './app-error.ts';
import { systemClock } from './clock.ts';
import type { KeyRing, WrappingKey } from './crypto/wrapping-key.ts';
import { createFakeClock, type FakeClock } from './testing/fake-clock.ts';
import { migratedDatabase } from './testing/migrated-database.ts';
import { testKeys } from './testing/test-keys.ts';
import { createVault, keyLifetime, type Vault } from './vault.ts';

let world: Awaited<ReturnType<typeof migratedDatabase>>;
let admin: pg.Client;
before(async () => {
  world = await migratedDatabase({});
  admin = new pg.Client(world.connection);
  await admin.connect();
});
after(async () => {
  await admin.end();
  await world.drop();
});

let workspace: string;
let clock: FakeClock;
/** Null: the keeper answers. */
let outage: AppError | null;
let unwrapped: number;
beforeEach(() => {
  workspace = systemClock.uuid();
  clock = createFakeClock();
  outage = null;
  unwrapped = 0;
});

const place = { table: 't', row: 'r', column: 'c' };
const text = Buffer.from('what nobody else may read');
const down = new AppError('unavailable', 'The keeper does not answer. Try again.');

async function keysThatMayFail(): Promise<KeyRing> {
  const honest = await testKeys().current();
  const fail =
    <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (outage) throw outage;
      return work(...args);
    };
  const key: WrappingKey = {
    ...honest,
    wrap: fail(honest.wrap),
    unwrap: fail((context, wrapped) => {
      unwrapped += 1;
      return honest.unwrap(context, wrapped);
    }),
  };
  return { current: async () => key, find: async (id) => (id === key.id ? key : undefined) };
}

const openVault = async (): Promise<Vault> =>
  createVault({
    database: world.database,
    keys: await keysThatMayFail(),
    process: systemClock.uuid(),
    clock,
    log: world.log,
  });

/** Stores what a rotation stores. */
async function addVersion(vault: Vault) {
  const next = await vault.makeNext(workspace);
  await admin.query('insert into platform.data_key (workspace, version, kek, wrapped) values ($1, $2, $3, $4)', [
    workspace,
    next.version,
    next.kek,
    next.wrapped,
  ]);
  await admin.query(
    'insert into platform.index_key values ($1, $2) on conflict (workspace) do update set sealed = excluded.sealed',
    [workspace, next.index],
  );
}

/** Lets what waits for the real database go on while the clock stands still. */
const settle = () => systemClock.sleep(50);

test('F48: while the keeper of the key is away, keys in memory serve to the end of their time, then it is an error with its reason', async () => {
  const vault = await openVault();
  await vault.ready(workspace);
  const sealed = await vault.seal(workspace, place, text);
  outage = down;
  for (let passed = 0; passed < keyLifetime - 60_000; passed += 60_000) {
    await clock.pass(60_000);
    await vault.sweep();
    assert.deepEqual(await vault.open(workspace, place, sealed), text);
    assert.ok(Buffer.isBuffer(vault.seal(workspace, place, text)));
  }
  await clock.pass(60_001);
  await assert.rejects(async () => vault.ready(workspace), down);
  await assert.rejects(async () => vault.seal(workspace, place, text), down);
  await assert.rejects(vault.open(workspace, place, sealed), down);
  outage = null;
  await clock.pass(3_000);
  assert.deepEqual(await vault.open(workspace, place, sealed), text);
});

test('while the keeper is away, those who wait for a key are told at once, and it is asked again a moment later', async () => {
  const vault = await openVault();
  outage = down;
  await assert.rejects(async () => vault.ready(workspace), down);
  outage = null;
  await assert.rejects(async () => vault.ready(workspace), down);
  await clock.pass(2_001);
  await vault.ready(workspace);
});

test('a key in use is asked for again in good time, one that nobody used is forgotten', async () => {
  const vault = await openVault();
  await vault.ready(workspace);
  // Once to see that a new key comes back, once to use it.
  assert.equal(unwrapped, 2);
  await clock.pass(keyLifetime * 0.81);
  assert.equal(vault.ready(workspace), undefined);
  await settle();
  assert.equal(unwrapped, 3, 'it was not asked for while it was used');
  await clock.pass(keyLifetime + 1);
  await vault.sweep();
  await vault.ready(workspace);
  assert.equal(unwrapped, 4);
});

test('many that need a key at once ask once', async () => {
  const vault = await openVault();
  await Promise.all(Array.from({ length: 100 }, () => vault.ready(workspace)));
  assert.equal(unwrapped, 2);
});

test('a key whose time ended in between is asked for by sealing itself', async () => {
  const vault = await openVault();
  await vault.ready(workspace);
  await clock.pass(keyLifetime + 1);
  const sealed = await vault.seal(workspace, place, text);
  assert.deepEqual(await vault.open(workspace, place, sealed), text);
});

test('a new version seals from the moment it is heard of, and all versions are read', async () => {
  const [one, other] = [await openVault(), await openVault()];
  await one.ready(workspace);
  await other.ready(workspace);
  const old = await one.seal(workspace, place, text);
  await addVersion(one);
  await one.follow();
  const fresh = await one.seal(workspace, place, text);
  assert.deepEqual([old.readUInt32BE(1), fresh.readUInt32BE(1)], [1, 2]);
  assert.deepEqual(await one.open(workspace, place, old), text);
  // It has not heard of it, and reads it nevertheless.
  assert.deepEqual(await other.open(workspace, place, fresh), text);
  await addVersion(one);
  await other.follow();
  assert.equal((await other.seal(workspace, place, text)).readUInt32BE(1), 3);
  for (const sealed of [old, fresh]) assert.deepEqual(await other.open(workspace, place, sealed), text);
});

test('sealed anew a text is the same, under the newest version, at its place only', async () => {
  const vault = await openVault();
  await vault.ready(workspace);
  const long = Buffer.alloc(20_000, 'compressed, too; ');
  for (const one of [text, long]) {
    const old = await vault.seal(workspace, place, one);
    await addVersion(vault);
    await vault.follow();
    await assert.rejects(vault.reseal(workspace, { ...place, row: 'other' }, old));
    const anew = await vault.reseal(workspace, place, old);
    assert.ok(anew && anew.readUInt32BE(1) > old.readUInt32BE(1));
    assert.deepEqual(await vault.open(workspace, place, anew), one);
    assert.equal(await vault.reseal(workspace, place, anew), null);
  }
});

test('what rows are found by stays the same through rotations', async () => {
  const vault = await openVault();
  await vault.ready(workspace);
  const purposes = ['subject', 'idempotency key', 'one of a later version' as 'subject'] as const;
  const keysNow = () => purposes.map((purpose) => vault.hmacKey(workspace, purpose).export().toString('hex'));
  const [subject, key] = keysNow();
  await addVersion(vault);
  await vault.follow();
  const second = keysNow();
  assert.deepEqual(second.slice(0, 2), [subject, key]);
  await addVersion(vault);
  await vault.follow();
  assert.deepEqual(keysNow(), second);
  const other = await openVault();
  await other.ready(workspace);
  assert.equal(other.hmacKey(workspace, 'subject').export().toString('hex'), subject);
});

test('a shredded workspace is forgotten with the next word, says so, and gets no new key', async () => {
  const vault = await openVault();
  await vault.ready(workspace);
  const told: string[] = [];
  vault.onShred((id) => told.push(id));
  const sealed = await vault.seal(workspace, place, text);
  await admin.query('insert into platform.shredded_workspace (workspace) values ($1)', [workspace]);
  await admin.query('delete from platform.data_key where workspace = $1', [workspace]);
  await vault.follow();
  assert.deepEqual(told, [workspace]);
  const shredded = { code: 'workspace_shredded', status: 410 };
  await assert.rejects(async () => vault.ready(workspace), shredded);
  await assert.rejects(vault.open(workspace, place, sealed), shredded);
  await assert.rejects(async () => vault.seal(workspace, place, text), shredded);
  const { rows } = await admin.query('select from platform.data_key where workspace = $1', [workspace]);
  assert.equal(rows.length, 0);
});

test('shredded before it ever sealed anything a workspace gets no key either', async () => {
  await admin.query('insert into platform.shredded_workspace (workspace) values ($1)', [workspace]);
  const vault = await openVault();
  await assert.rejects(async () => vault.ready(workspace), { code: 'workspace_shredded' });
});

test('without the key that wrapped it, it says which one is missing', async () => {
  const vault = await openVault();
  await vault.ready(workspace);
  await admin.query(`update platform.data_key set kek = 'gone' where workspace = $1`, [workspace]);
  await assert.rejects(async () => (await openVault()).ready(workspace), /wrapped by the key gone/);
});
