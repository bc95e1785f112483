import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '#platform/clock.ts';
import { type MigratedDatabase, migratedDatabase } from '#platform/testing/migrated-database.ts';

const folder = `${import.meta.dirname}/../migrations`;
const week = 7 * 86_400_000;

let migrated: MigratedDatabase;
let admin: pg.Client;
before(async () => {
  migrated = await migratedDatabase({ pattern: folder });
  admin = new pg.Client(migrated.connection);
  await admin.connect();
});
after(async () => {
  await admin.end();
  await migrated.drop();
});

const workspace = systemClock.uuid();
const idIn = (weeks: number) => {
  const hex = (systemClock.now() + weeks * week).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${systemClock.uuid().slice(24)}`;
};
const makePartitions = (weeks: number) =>
  migrated.database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query('select pattern.ensure_partitions($1)', [weeks]),
  );

async function write(id: string): Promise<void> {
  const client = await migrated.database.dedicated('journal');
  try {
    for (const table of ['accepted', 'finished']) {
      const end = table === 'finished';
      await client.query(
        `insert into pattern.${table} (workspace, id, process, accepted_at, pattern, version, digest, model, stream, actor, metadata
           ${end ? ', finished_at, status, attempts, sanitised' : ''})
         values ($1, $2, $1, now(), 'greet', 1, 'd', 'm', false, $1, '{}' ${end ? `, now(), 'succeeded', '[]', false` : ''})`,
        [workspace, id],
      );
    }
  } finally {
    await client.end();
  }
}

const placeOf = async (table: string, id: string) =>
  (await admin.query(`select tableoid::regclass::text as place from pattern.${table} where id = $1`, [id])).rows;

test('a week whose runs came before its partition, as when a clock was ahead, gets them all', async () => {
  const ids = [idIn(20), idIn(20), idIn(-1)];
  for (const id of ids) await write(id);
  for (const table of ['accepted', 'finished']) {
    assert.deepEqual(await placeOf(table, ids[0] as string), [{ place: `pattern.${table}_rest` }]);
  }
  await makePartitions(21);
  await makePartitions(21);
  for (const table of ['accepted', 'finished']) {
    for (const id of ids.slice(0, 2)) {
      const [{ place }] = (await placeOf(table, id)) as [{ place: string }];
      assert.match(place, new RegExp(`^pattern\\."?${table}_\\d{4}w\\d\\d"?$`));
    }
  }
  const { rows } = await admin.query(
    'select relname from pg_class where relispartition and relkind = $1 and not (relrowsecurity and relforcerowsecurity)',
    ['r'],
  );
  assert.deepEqual(rows, []);
});

test('runs are recorded while a partition waits for somebody who reads for a long time', async () => {
  const reader = new pg.Client(migrated.connection);
  await reader.connect();
  await reader.query('begin');
  await reader.query('select count(*) from pattern.accepted, pattern.finished');
  const made = makePartitions(30);
  await systemClock.sleep(200);
  const started = systemClock.monotonic();
  await write(idIn(0));
  assert.ok(systemClock.monotonic() - started < 1_000);
  await reader.query('commit');
  await reader.end();
  await made;
});
