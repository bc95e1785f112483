import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from './clock.ts';
import { createGroupCommit, type GroupCommitOptions } from './group-commit.ts';
import { createLog } from './log.ts';
import { createRedact } from './redact.ts';
import { type TestDatabase, testDatabase } from './testing/postgres.ts';

interface Row {
  readonly id: number;
  readonly text: string;
}

let database: TestDatabase;
let admin: pg.Client;
const log = createLog({ level: 'error', clock: systemClock, write: () => undefined, redact: createRedact() });

before(async () => {
  database = await testDatabase();
  admin = new pg.Client(database.connection);
  admin.on('error', () => undefined);
  await admin.connect();
  await admin.query(
    'create table entry (id int primary key, text text not null, at bigint default pg_current_xact_id()::text::bigint)',
  );
  await admin.query('create table aside (id int, reason text)');
});
after(async () => {
  await admin.end();
  await database.drop();
});

async function insert(client: Pick<pg.Client, 'query'>, rows: readonly Row[]) {
  await client.query(
    'insert into entry (id, text) select * from json_to_recordset($1) as given(id int, text text) on conflict do nothing',
    [JSON.stringify(rows)],
  );
}

function open(given: Partial<GroupCommitOptions<Row>> = {}) {
  const opened: pg.Client[] = [];
  const group = createGroupCommit<Row>({
    gatherFrom: 4,
    async connect() {
      const client = new pg.Client(database.connection);
      client.on('error', () => undefined);
      await client.connect();
      opened.push(client);
      return client;
    },
    connections: 2,
    write: insert,
    quarantine: async (client, row, reason) => {
      await client.query('insert into aside values ($1, $2)', [row.id, reason]);
    },
    bytesOf: (row) => row.text.length,
    maxRows: 256,
    maxBytes: 1_000_000,
    queueRows: 5_000,
    queueBytes: 10_000_000,
    lateAfter: 300,
    clock: systemClock,
    log,
    ...given,
  });
  return { group, opened };
}

const count = async (where: string) =>
  Number((await admin.query(`select count(*) from entry where ${where}`)).rows[0].count);

test('rows are committed when their promise resolves, and many share a commit', async () => {
  const { group } = open();
  await Promise.all(Array.from({ length: 2_000 }, (_, i) => group.write({ id: i, text: 'x' }).committed));
  assert.equal(await count('id < 2000'), 2_000);
  const commits = Number((await admin.query('select count(distinct at) from entry')).rows[0].count);
  assert.ok(commits < 200, `${commits} commits`);
  assert.equal(await group.stop(1_000), 0);
});

test('a row that the database refuses is set aside, and its neighbours are written', async () => {
  const { group } = open({ connections: 1 });
  const written = Array.from(
    { length: 100 },
    (_, i) => group.write({ id: 10_000 + i, text: i === 42 ? 'a\0b' : 'x' }).committed,
  );
  const results = await Promise.allSettled(written);
  assert.deepEqual(
    results.flatMap((result, i) => (result.status === 'rejected' ? [i] : [])),
    [42],
  );
  assert.equal(await count('id between 10000 and 10099'), 99);
  assert.equal((await admin.query('select id from aside')).rows[0].id, 10_042);
  await group.stop(1_000);
});

for (const code of ['EPIPE', 'ERR_STREAM_DESTROYED', '25006', '42501', 'XX000']) {
  test(`${code} is no fault of the rows: they are written again, and none is set aside`, async () => {
    let failures = 2;
    const { group } = open({
      connections: 1,
      write: async (client, rows) => {
        if (failures-- > 0) throw Object.assign(new Error('It cannot be written now'), { code });
        await client.query('insert into entry (id, text) values ($1, $2)', [rows[0]?.id, rows[0]?.text]);
      },
    });
    await admin.query('truncate aside');
    await admin.query('delete from entry where id = 15000');
    await group.write({ id: 15_000, text: 'x' }).committed;
    assert.equal(await count('id = 15000'), 1);
    assert.equal((await admin.query('select from aside')).rowCount, 0);
    await group.stop(1_000);
  });
}

test('a database that takes connections but no rows is tried less and less often', async () => {
  let tries = 0;
  const { group } = open({
    connections: 1,
    write: async () => {
      tries += 1;
      throw Object.assign(new Error('disk full'), { code: '53100' });
    },
  });
  group.write({ id: 16_000, text: 'x' }).committed.catch(() => undefined);
  await systemClock.sleep(800);
  assert.ok(tries >= 3 && tries <= 5, `${tries} tries`);
  assert.equal(await group.stop(10), 1);
});

test('a lost connection loses nothing: the group is written again', async () => {
  let cuts = 0;
  const { group, opened } = open({
    connections: 1,
    write: async (client, rows) => {
      // In the first group and in a later one.
      if (rows.some(({ id }) => id === 20_000 + 300 * cuts)) {
        cuts += 1;
        await admin.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where pid = any($1)', [
          opened.map((one) => (one as unknown as { processID: number }).processID),
        ]);
      }
      await insert(client, rows);
    },
  });
  await Promise.all(Array.from({ length: 501 }, (_, i) => group.write({ id: 20_000 + i, text: 'x' }).committed));
  assert.equal(await count('id between 20000 and 20500'), 501);
  assert.deepEqual([cuts, opened.length], [2, 3]);
  await group.stop(1_000);
});

test('while the database cannot be reached new work is refused and waiting rows are kept', async () => {
  let reachable = false;
  const { group } = open({
    connect: async () => {
      if (!reachable) throw new Error('connection refused');
      const client = new pg.Client(database.connection);
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
  });
  group.admit();
  const first = group.write({ id: 30_000, text: 'x' });
  await systemClock.sleep(400);
  assert.throws(() => group.admit(), { code: 'unavailable' });
  assert.equal(first.replace({ id: 30_000, text: 'replaced' }), true);
  reachable = true;
  await first.committed;
  await systemClock.sleep(1);
  group.admit();
  assert.equal(await count(`id = 30000 and text = 'replaced'`), 1);
  assert.equal(first.replace({ id: 30_000, text: 'too late' }), false);
  await group.stop(1_000);
});

test('more than the queue holds is refused before it is begun', async () => {
  const { group } = open({ queueRows: 3, connect: () => new Promise(() => undefined) });
  for (let i = 0; i < 3; i++) group.write({ id: 40_000 + i, text: 'x' });
  assert.throws(() => group.admit(), { code: 'overloaded' });
  assert.equal(await group.stop(10), 3);
});

test('rows that come while a large group is being written form one group, and wait for no connection that hangs', async () => {
  const sizes: number[] = [];
  const held: (() => void)[] = [];
  const { group } = open({
    write: async (_, rows) => {
      sizes.push(rows.length);
      await new Promise<void>((resolve) => held.push(resolve));
    },
  });
  const write = (id: number) => group.write({ id, text: 'x' }).committed;
  const first = Promise.all([1, 2, 3, 4].map(write));
  while (sizes.length < 1) await systemClock.sleep(1);
  const second = Promise.all([write(5), write(6)]);
  held.shift()?.();
  await first;
  while (sizes.length < 2) await systemClock.sleep(1);
  assert.deepEqual(sizes, [4, 2]);
  held.shift()?.();
  await second;

  const third = Promise.all([7, 8, 9, 10].map(write));
  while (sizes.length < 3) await systemClock.sleep(1);
  const fourth = write(11);
  while (sizes.length < 4) await systemClock.sleep(1);
  held[1]?.();
  await fourth;
  held[0]?.();
  await third;
  await group.stop(1_000);
});

test('a row that waits makes room for another one, and both are told the one commit', async () => {
  const seen: number[] = [];
  const { group } = open({
    write: async (_, rows) => {
      seen.push(...rows.map(({ id }) => id));
    },
    queueBytes: 1_000,
  });
  const first = group.write({ id: 20_001, text: 'x' });
  assert.equal(first.replace({ id: 20_002, text: 'x'.repeat(2_000) }), true);
  assert.throws(() => group.admit(), /More runs wait/);
  await first.committed;
  group.admit();
  assert.equal(first.replace({ id: 20_003, text: 'x' }), false);
  assert.deepEqual(seen, [20_002]);
  await group.stop(1_000);
});
