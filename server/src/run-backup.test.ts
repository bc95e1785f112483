import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { migrationFolders as folders } from './open-database.ts';
import { compareRestored } from './platform/backup/compare-restored.ts';
import type { Manifest } from './platform/backup/manifest.ts';
import type { Source } from './platform/backup/place.ts';
import { openChain, readTables } from './platform/backup/read-backup.ts';
import { restoreBackup } from './platform/backup/restore-backup.ts';
import { acknowledgeRestore, refuseUnsettled } from './platform/backup/restore-state.ts';
import { writeBackup } from './platform/backup/write-backup.ts';
import { systemClock as clock } from './platform/clock.ts';
import type { KeyEncryptionKey } from './platform/crypto/key-file.ts';
import { createLog } from './platform/log.ts';
import { createRedact } from './platform/redact.ts';
import { memoryDestination, memorySource } from './platform/testing/memory-place.ts';
import { startModelServer } from './platform/testing/model-server.ts';
import { testDatabase } from './platform/testing/postgres.ts';
import { startTestPlatform, type TestPlatform } from './testing/test-platform.ts';

const log = createLog({ level: 'error', clock, write: () => undefined, redact: createRedact() });
const kek: KeyEncryptionKey = { key: createSecretKey(randomBytes(32)), id: 'the key' };

let platform: TestPlatform;
const ends: (() => Promise<void>)[] = [];
before(async () => {
  const model = await startModelServer();
  ends.push(() => model.close());
  platform = await startTestPlatform({ modelUrl: model.url });
  ends.push(() => platform.stop());
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet.' });
});
after(async () => {
  for (const end of ends.reverse()) await end();
});

const asSuperuser = async (text: string, connection: pg.ClientConfig = platform.connection) => {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
};

async function backUp(connection: pg.ClientConfig = platform.connection, base?: { manifest: Manifest; name: string }) {
  const { destination, state, bytes } = memoryDestination();
  const { manifest, written } = await writeBackup({
    connection,
    destination,
    kek,
    clock,
    damask: 'test',
    ...(base ? { base } : {}),
  });
  assert.ok(state.finished);
  assert.equal(written, bytes().length);
  return { manifest, bytes: bytes() };
}

/** An empty database of a user of its own with these attributes, or of the superuser. */
async function emptyDatabase(attributes?: string): Promise<pg.ClientConfig> {
  const database = await testDatabase();
  ends.push(() => database.drop());
  if (attributes === undefined) return database.connection;
  const user = `${database.name}_operator`;
  await asSuperuser(`create role ${user} login ${attributes}`, database.connection);
  await asSuperuser(`alter database ${database.name} owner to ${user}`, database.connection);
  return { ...database.connection, user };
}

async function bringBack(source: Source, connection: pg.ClientConfig, key = kek): Promise<void> {
  const chain = await openChain(source, key);
  try {
    await restoreBackup({ connection, chain, kek: key, folders, log });
  } finally {
    await chain.close();
  }
}

const ofLife = new Set(['platform.process', 'platform.epoch']);
/** Digests of all tables but those that tell one life of the data from another. */
const digests = ({ tables }: Manifest) =>
  Object.fromEntries(
    tables
      .map(({ schema, name, rows, sha256 }) => [`${schema}.${name}`, rows > 0 ? `${rows} ${sha256}` : 'none'] as const)
      .filter(([name, digest]) => !ofLife.has(name) && digest !== 'none'),
  );

test('what comes back is, row by row, what was there at one moment while others wrote; also for users who are no superusers', async () => {
  let writing = true;
  const writers = [0, 1, 2].map(async (writer) => {
    for (let number = 0; writing; number++) {
      const made = await platform.call('POST', '/v1/patterns', {
        name: `load_${writer}_${number}`,
        system: 'Do\t\\.\n"it" ü',
      });
      assert.equal(made.status, 201);
      await platform.call('POST', '/v1/runs', { pattern: 'greet', input: `\u0001tab\tand\\n${number}` });
    }
  });
  await clock.sleep(300);
  const taken = await backUp();
  writing = false;
  await Promise.all(writers);

  const separate = await emptyDatabase('createrole');
  await bringBack(memorySource(taken.bytes), separate);
  const second = await backUp(separate);
  assert.deepEqual(digests(second.manifest), digests(taken.manifest));
  // Each publication writes its version, its audit row and its event in one transaction.
  const [counts] = await asSuperuser(
    `select (select count(*) from pattern.pattern where name like 'load%') as patterns,
            (select count(*) from pattern.audit where action = 'pattern.create') as audits,
            (select count(*) from pattern.outbox where name = 'pattern.version-published') as events,
            (select count(*) from pattern.version) as versions, (select count(*) from pattern.finished) as runs`,
    { ...separate, user: 'damask' },
  );
  assert.ok(Number(counts.patterns) > 0 && Number(counts.runs) > 0, JSON.stringify(counts));
  assert.equal(counts.events, counts.versions);

  const plain = await emptyDatabase('');
  await bringBack(memorySource(second.bytes), plain);
  const third = await backUp(plain);
  assert.deepEqual(digests(third.manifest), digests(taken.manifest));
  assert.equal(third.manifest.epoch, 3);
  assert.equal(third.manifest.installation, taken.manifest.installation);
  // What kept workspaces apart does so again.
  const guards = `select relname, relrowsecurity, relforcerowsecurity from pg_class where relnamespace = 'pattern'::regnamespace
    and relkind in ('r', 'p') order by relname`;
  assert.deepEqual(await asSuperuser(guards, { ...plain, user: 'damask' }), await asSuperuser(guards));
});

test('the platform does not start on restored data until somebody says to know what is lost', async () => {
  const taken = await backUp();
  const connection = await emptyDatabase();
  await refuseUnsettled(connection);
  await bringBack(memorySource(taken.bytes), connection);
  await assert.rejects(refuseUnsettled(connection), /as they were at .*damask restore --acknowledge/);
  assert.equal(await acknowledgeRestore(connection), true);
  await refuseUnsettled(connection);
  assert.equal(await acknowledgeRestore(connection), false);
});

test('whoever was alive at the snapshot is dead after it, so that what it did is taken over', async () => {
  const taken = await backUp();
  const connection = await emptyDatabase();
  await bringBack(memorySource(taken.bytes), connection);
  const living = `select from platform.process where ended_at is null and heartbeat_at >= now() - interval '15 s'`;
  assert.equal((await asSuperuser(living)).length, 1);
  assert.equal((await asSuperuser(living, connection)).length, 0);
});

test('numbers of transactions are moved together below those of the new cluster, so that cursors and events keep their order', async () => {
  const taken = await backUp();
  const connection = await emptyDatabase();
  const chain = await openChain(memorySource(taken.bytes), kek);
  const far = 1_000_000_000n;
  // As if the backup came from a cluster that has counted much further.
  const next_transaction = String(BigInt(chain.manifest.next_transaction) + far);
  await restoreBackup({
    connection,
    chain: { ...chain, manifest: { ...chain.manifest, next_transaction } },
    kek,
    folders,
    log,
  });
  const order = `select (select array_agg(id order by xact, id) from pattern.outbox) as events,
    (select max(xact) from pattern.outbox) - (select max(xact) from platform.cursor) as ahead`;
  assert.deepEqual(await asSuperuser(order, connection), await asSuperuser(order));
  const [{ newest }] = await asSuperuser('select max(xact) as newest from pattern.outbox', connection);
  assert.ok(Number(newest) < 0, newest);
  const named = `select table_name, column_name from information_schema.columns
    where (column_default like '%xact_id%' or data_type = 'xid8') and column_name <> 'xact'`;
  assert.deepEqual(await asSuperuser(named), [], 'Call it xact: a restore moves what is in such a column.');
});

test('a restore that broke off leaves a database that says so, and the next one brings everything back', async () => {
  const taken = await backUp();
  const connection = await emptyDatabase('createrole');
  const source = memorySource(taken.bytes);
  const breaking: Source = {
    ...source,
    async *stream(from) {
      let sent = 0;
      for await (const piece of source.stream(from)) {
        if (sent > taken.bytes.length / 2) throw new Error('the line broke');
        sent += piece.length;
        yield piece;
      }
    },
  };
  await assert.rejects(bringBack(breaking, connection), /the line broke/);
  await assert.rejects(refuseUnsettled(connection), /did not finish.*again/);
  await assert.rejects(acknowledgeRestore(connection), /did not finish/);
  await assert.rejects(backUp(connection), /did not finish/);
  await bringBack(source, connection);
  assert.deepEqual(digests((await backUp(connection)).manifest), digests(taken.manifest));
});

test('nothing is written to a database that is in use, is another one, or with another key or a newer backup', async () => {
  const taken = await backUp();
  const source = memorySource(taken.bytes);
  await assert.rejects(bringBack(source, platform.connection), /nothing is overwritten.*DAMASK_DATA_DIR/);
  const foreign = await emptyDatabase();
  await asSuperuser('create schema pattern; create table pattern.theirs ()', foreign);
  await assert.rejects(bringBack(source, foreign), /schema pattern, which Damask did not make/);
  assert.equal((await asSuperuser(`select to_regclass('pattern.theirs') as kept`, foreign))[0].kept, 'pattern.theirs');

  const empty = await emptyDatabase();
  const other = { key: createSecretKey(randomBytes(32)), id: 'other' };
  await assert.rejects(bringBack(source, empty, other), /sealed with the key the key/);
  const chain = await openChain(source, kek);
  const later = { service: 'pattern', number: 9_000, name: '9000_later', checksum: 'x' };
  const newer = { ...chain, manifest: { ...chain.manifest, migrations: [...chain.manifest.migrations, later] } };
  await assert.rejects(
    restoreBackup({ connection: empty, chain: newer, kek, folders, log }),
    /newer Damask.*9000_later/,
  );
  assert.deepEqual(await asSuperuser(`select nspname from pg_namespace where nspname = 'platform'`, empty), []);
});

test('weeks of runs that are over and unchanged stay in the older backup; changed ones come again', async () => {
  const ago = (days: number) => (Date.now() - days * 86_400_000).toString(16).padStart(12, '0');
  const old = (days: number, tail: number) =>
    `${ago(days).slice(0, 8)}-${ago(days).slice(8)}-7000-8000-${String(tail).padStart(12, '0')}`;
  const accept = (id: string) =>
    asSuperuser(`insert into pattern.accepted (workspace, id, process, accepted_at, pattern, version, digest, model, stream, actor, metadata)
      values ('${platform.alpha.id}', '${id}', gen_random_uuid(), now(), 'greet', 1, 'd', 'm', false, gen_random_uuid(), '{}')`);
  await accept(old(7, 1));
  const full = await backUp();
  const onlyHeld = ({ tables }: Manifest) => tables.filter(({ held_by }) => held_by !== null);
  assert.equal(onlyHeld(full.manifest).length, 0);

  const base = { manifest: full.manifest, name: 'full.backup' };
  const next = await backUp(platform.connection, base);
  assert.deepEqual(
    onlyHeld(next.manifest).map(({ rows, held_by }) => [rows, held_by]),
    [[1, full.manifest.backup]],
  );
  const last = await backUp(platform.connection, { manifest: next.manifest, name: 'next.backup' });
  assert.deepEqual(last.manifest.bases, { [full.manifest.backup]: 'full.backup' });

  const connection = await emptyDatabase();
  await bringBack(memorySource(last.bytes, { 'full.backup': full.bytes }), connection);
  assert.deepEqual(digests((await backUp(connection)).manifest), digests(last.manifest));
  await assert.rejects(openChain(memorySource(last.bytes), kek), /only what changed since full.backup.*--base/);
  await assert.rejects(openChain(memorySource(last.bytes, { 'full.backup': next.bytes }), kek), /--base/);
  const given = await openChain(memorySource(last.bytes), kek, [memorySource(full.bytes)]);
  for await (const { rows } of readTables(given, kek)) for await (const _ of rows);

  await accept(old(7, 2));
  assert.deepEqual(onlyHeld((await backUp(platform.connection, base)).manifest), []);
});

test('what a drill brought back is compared row by row, and rows that differ are found', async () => {
  const { bytes } = await backUp();
  const target = await emptyDatabase();
  await bringBack(memorySource(bytes), target);
  const compare = async () => {
    const chain = await openChain(memorySource(bytes), kek);
    return compareRestored(target, chain, { kek, leftOut: [], onTable: () => undefined }).finally(() => chain.close());
  };
  const same = await compare();
  assert.deepEqual(same.different, []);
  assert.ok(same.rows > 10 && same.tables > 30, JSON.stringify(same));
  await asSuperuser(
    `set session_replication_role = replica; delete from identity.outbox;
     update pattern.pattern set created_at = created_at - interval '1 day'`,
    target,
  );
  assert.deepEqual([...(await compare()).different].sort(), ['identity.outbox', 'pattern.pattern']);
});
