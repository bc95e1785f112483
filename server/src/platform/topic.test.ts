import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from './clock.ts';
import { type MigratedDatabase, migratedDatabase } from './testing/migrated-database.ts';
import { bumpTopic, type TopicFollower, watchTopics } from './topic.ts';

let migrated: MigratedDatabase;
let admin: pg.Client;
before(async () => {
  migrated = await migratedDatabase({});
  admin = new pg.Client(migrated.connection);
  await admin.connect();
});
after(async () => {
  await admin.end();
  await migrated.drop();
});

const started: { stop(): Promise<void> }[] = [];
// A test that fails must not leave a watch to the next one.
afterEach(() => Promise.all(started.splice(0).map((watching) => watching.stop())));

const watch = async (followers: readonly TopicFollower[]) => {
  const watching = await watchTopics({ database: migrated.database, followers, clock: systemClock, log: migrated.log });
  started.push(watching);
  return watching;
};
const bump = (topic: string) =>
  migrated.database.transaction({ role: 'platform', workspace: null }, (transaction) => bumpTopic(transaction, topic));

async function until(look: () => boolean | Promise<boolean>): Promise<void> {
  for (let wait = 0; wait < 500 && !(await look()); wait++) await systemClock.sleep(10);
  assert.ok(await look(), 'It did not come within 5 s');
}

test('a table that cannot be loaded does not keep the others from following', async () => {
  let broken = false;
  let loads = 0;
  const watching = await watch([
    {
      topic: 'test.broken',
      load: async () => {
        if (broken) throw new Error('It cannot be read');
      },
    },
    {
      topic: 'test.sound',
      load: async () => {
        loads += 1;
      },
    },
  ]);
  broken = true;
  await bump('test.broken');
  await bump('test.sound');
  await until(() => loads === 2);
  const before = watching.currentAt('test.broken');
  await until(() => watching.currentAt('test.sound') > before + 600);
  assert.ok(watching.currentAt('test.broken') < watching.currentAt('test.sound') - 500);
});

test('a look that was asked for right after another one had ended is a look of its own', async () => {
  let loads = 0;
  const watching = await watch([
    {
      topic: 'test.again',
      load: async () => {
        loads += 1;
      },
    },
  ]);
  for (let i = 0; i < 20; i++) {
    // Taken first: a notification can make it look before the transaction's own answer is here.
    const seen = loads;
    await bump('test.again');
    await watching.refresh().then(() => watching.refresh());
    assert.ok(loads > seen);
  }
});

test('a lost listener is replaced, and one that cannot listen leaves no connection behind', async () => {
  const listeners = async () =>
    (
      await admin.query(
        `select pid from pg_stat_activity where datname = current_database() and query like 'listen%' and pid <> pg_backend_pid()`,
      )
    ).rows;
  const { database } = migrated;
  let refuse = false;
  const watching = await watchTopics({
    database: {
      ...database,
      dedicated: async (role) => {
        const client = await database.dedicated(role);
        if (refuse) await client.query('begin; select 1/0').catch(() => undefined);
        return client;
      },
    },
    followers: [],
    clock: systemClock,
    log: migrated.log,
  });
  started.push(watching);
  const [first] = await listeners();
  refuse = true;
  await admin.query('select pg_terminate_backend($1)', [first.pid]);
  await systemClock.sleep(1_200);
  const { rows } = await admin.query(
    `select count(*)::int from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
  );
  assert.ok(rows[0].count <= 1, `${rows[0].count} connections were left`);
  refuse = false;
  await until(async () => (await listeners()).length === 1);
  await watching.stop();
  await until(async () => (await listeners()).length === 0);
});
