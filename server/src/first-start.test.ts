import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { identityOperations } from '@damask/contracts/identity.ts';
import { looksLikeApiKey } from '#platform/api-key.ts';
import { AppError } from '#platform/app-error.ts';
import { systemClock } from '#platform/clock.ts';
import { createCursors } from '#platform/cursor.ts';
import { createEgress } from '#platform/egress/egress.ts';
import { openDoor } from '#platform/rpc/door.ts';
import { systemContext } from '#platform/system-context.ts';
import { migratedDatabase } from '#platform/testing/migrated-database.ts';
import { watchTopics } from '#platform/topic.ts';
import { createVault } from '#platform/vault.ts';
import { type FirstStartOptions, firstStart, reissueOwnerKey } from './first-start.ts';
import { createAuthenticate } from './gateway/authenticate.ts';
import { createKeyTable } from './gateway/key-table.ts';
import { createMemberTable } from './gateway/member-table.ts';
import { createPrincipals } from './gateway/principals.ts';
import { testKeys } from './platform/testing/test-keys.ts';
import { createIdentityService, identityMigrations } from './services/identity/service.ts';

const root = await mkdtemp(join(tmpdir(), 'damask-first-start-'));
after(() => rm(root, { recursive: true, force: true }));

/** A new installation: a database of its own and a configuration folder. */
async function install(name: string) {
  const { database, log, drop } = await migratedDatabase({ identity: identityMigrations });
  after(drop);
  const service = createIdentityService({
    database,
    clock: systemClock,
    log,
    cursors: createCursors(Buffer.alloc(32, 1)),
    keys: testKeys(),
    vault: createVault({ database, keys: testKeys(), process: systemClock.uuid(), clock: systemClock, log }),
    egress: createEgress({ allow: [], clock: systemClock }),
  });
  const identity = openDoor(identityOperations, service, { copy: true, checkOutput: true });
  const options: FirstStartOptions = {
    identity,
    clock: systemClock,
    log,
    configDir: join(root, name),
    url: 'http://127.0.0.1:7440',
    dataDir: `/data/${name}`,
  };
  const keyTable = createKeyTable({ identity, clock: systemClock });
  const principals = createPrincipals(keyTable, createMemberTable({ identity, clock: systemClock }));
  const authenticate = createAuthenticate({ principals, currentAt: () => systemClock.now(), clock: systemClock });
  const opens = async (key: string) => {
    await keyTable.load();
    const rawHeaders = ['Authorization', `Bearer ${key}`];
    return authenticate({ rawHeaders, url: '/', headers: {}, socket: { remoteAddress: '127.0.0.1' } });
  };
  return { options, identity, database, log, opens };
}

const read = async ({ configDir }: FirstStartOptions) =>
  JSON.parse(await readFile(join(configDir, 'credentials.json'), 'utf8')).instances;

const failing = () => Promise.reject(new AppError('unavailable', 'killed'));

test('A-15: the first start makes a workspace and an owner key that works; the second only finds them', async () => {
  const { options, identity, opens } = await install('plain');
  const first = await firstStart(options);
  assert.ok(first.ownerKey && looksLikeApiKey(first.ownerKey));
  assert.equal(first.credentials, join(options.configDir, 'credentials.json'));
  const { api_key, url, data_dir } = (await read(options))[first.instance];
  assert.deepEqual([api_key, url, data_dir], [first.ownerKey, options.url, options.dataDir]);
  const caller = await opens(first.ownerKey);
  assert.deepEqual([caller.workspace, caller.actor.role], [first.workspace, 'owner']);
  const context = { ...systemContext(systemClock), ...caller };
  assert.equal((await identity.readWorkspace(context, {})).name, 'default');

  const second = await firstStart({ ...options, url: 'http://127.0.0.1:9999' });
  assert.deepEqual(second, { ...first, ownerKey: null });
  assert.deepEqual(await read(options), {
    [first.instance]: { url: 'http://127.0.0.1:9999', api_key, data_dir },
  });
  assert.equal((await identity.listKeys(context, {})).items.length, 1);
});

test('killed before the workspace was made, the next start goes on with the key on disk', async () => {
  const { options, identity, opens } = await install('killed-before');
  await assert.rejects(firstStart({ ...options, identity: { ...identity, openInstance: failing } }));
  const [pending] = Object.values(await read(options)) as { api_key: string }[];
  const { ownerKey } = await firstStart(options);
  assert.equal(ownerKey, pending?.api_key);
  assert.equal((await opens(ownerKey as string)).actor.role, 'owner');
});

test('killed after the workspace was made, the key on disk opens it', async () => {
  const { options, identity, opens } = await install('killed-after');
  const openInstance: typeof identity.openInstance = async (context, input) => {
    await identity.openInstance(context, input);
    return failing();
  };
  await assert.rejects(firstStart({ ...options, identity: { ...identity, openInstance } }));
  const again = await firstStart(options);
  assert.equal(again.ownerKey, null);
  assert.equal((await opens((await read(options))[again.instance].api_key)).workspace, again.workspace);
});

test('no workspace is made when its key could not be kept', async () => {
  const { options, identity } = await install('unwritable');
  const configDir = join(root, 'a-file');
  await writeFile(configDir, '');
  await assert.rejects(firstStart({ ...options, configDir }), { code: 'unavailable' });
  assert.equal((await identity.readInstance(systemContext(systemClock), {})).workspace, null);
  await firstStart(options);
  const later = await firstStart({ ...options, configDir });
  assert.equal(later.credentials, null);
});

test('servers that start together on one database make one workspace, and no invalid key stays on disk', async () => {
  const { options, identity, opens } = await install('together');
  const folders = ['east', 'west', 'west'];
  const starts = await Promise.all(
    folders.map((name) => firstStart({ ...options, configDir: join(root, `together-${name}`) })),
  );
  assert.equal(new Set(starts.map((start) => start.workspace)).size, 1);
  const shown = starts.map((start) => start.ownerKey).filter((key) => key !== null);
  assert.equal(new Set(shown).size, 1);
  for (const { credentials, instance } of starts) {
    if (credentials === null) continue;
    const kept = JSON.parse(await readFile(credentials, 'utf8')).instances[instance];
    assert.equal((await opens(kept.api_key)).workspace, starts[0]?.workspace);
  }
  const context = { ...systemContext(systemClock), ...(await opens(shown[0] as string)) };
  assert.equal((await identity.listKeys(context, {})).items.length, 1);
});

test('another installation at the same address keeps its key and gives up the address', async () => {
  const one = await install('shared');
  const two = await install('shared');
  const first = await firstStart(one.options);
  const second = await firstStart({ ...two.options, dataDir: null });
  assert.deepEqual(await read(one.options), {
    [first.instance]: { url: null, api_key: first.ownerKey, data_dir: one.options.dataDir },
    [second.instance]: { url: one.options.url, api_key: second.ownerKey, data_dir: null },
  });
  await firstStart(one.options);
  const back = await read(one.options);
  assert.deepEqual([back[first.instance].url, back[second.instance].url], [one.options.url, null]);
});

test('lost credentials are replaced by another owner key; the old one still works', async () => {
  const { options, opens } = await install('lost');
  await assert.rejects(reissueOwnerKey(options), { code: 'not_found', message: /Start the server/ });
  const first = await firstStart(options);
  await rm(join(options.configDir, 'credentials.json'));
  assert.equal((await firstStart(options)).credentials, null);
  const { ownerKey, workspace } = await reissueOwnerKey(options);
  assert.equal(workspace, first.workspace);
  assert.equal((await read(options))[first.instance].api_key, ownerKey);
  for (const key of [ownerKey, first.ownerKey as string]) assert.equal((await opens(key)).actor.role, 'owner');
});

test('a key that could not be added is not left on disk', async () => {
  const { options, identity } = await install('reissue-fails');
  const { ownerKey, instance } = await firstStart(options);
  const broken = { ...options, identity: { ...identity, reissueOwnerKey: failing } };
  await assert.rejects(reissueOwnerKey(broken), { code: 'unavailable' });
  assert.equal((await read(options))[instance].api_key, ownerKey);
  await rm(join(options.configDir, 'credentials.json'));
  await assert.rejects(reissueOwnerKey(broken), { code: 'unavailable' });
  assert.deepEqual(await read(options), {});
});

test('new and revoked keys reach the edge through the topic', async () => {
  const { options, identity, database, log } = await install('topic');
  const { ownerKey } = await firstStart(options);
  const keyTable = createKeyTable({ identity, clock: systemClock });
  const watch = await watchTopics({
    database,
    followers: [{ topic: 'identity.keys', load: () => keyTable.load() }],
    clock: systemClock,
    log,
  });
  const authenticate = createAuthenticate({
    principals: createPrincipals(keyTable, createMemberTable({ identity, clock: systemClock })),
    currentAt: () => watch.currentAt('identity.keys'),
    clock: systemClock,
  });
  const callerOf = (key: string) =>
    authenticate({ rawHeaders: ['Authorization', `Bearer ${key}`], url: '/', headers: {}, socket: {} });
  try {
    const context = { ...systemContext(systemClock), ...callerOf(ownerKey as string) };
    const made = await identity.createKey(context, { name: 'new', role: 'viewer' });
    await within(5_000, () => callerOf(made.key).actor.id === made.id);
    await identity.revokeKey(context, { key: made.id });
    await within(5_000, () => {
      assert.throws(() => callerOf(made.key), { code: 'unauthenticated' });
      return true;
    });
  } finally {
    await watch.stop();
  }
});

async function within(ms: number, holds: () => boolean) {
  const until = systemClock.monotonic() + ms;
  for (;;) {
    try {
      if (holds()) return;
    } catch (error) {
      if (systemClock.monotonic() > until) throw error;
    }
    await systemClock.sleep(10);
  }
}
