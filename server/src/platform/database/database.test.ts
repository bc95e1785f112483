import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '../clock.ts';
import { createLog } from '../log.ts';
import { createRedact } from '../redact.ts';
import { type TestDatabase, testDatabase } from '../testing/postgres.ts';
import { openDatabase } from './database.ts';
import { createRoles, type Roles } from './roles.ts';

const log = createLog({ level: 'error', clock: systemClock, write: () => undefined, redact: createRedact() });
const scope = { role: 'test', workspace: null };

let cluster: TestDatabase;
let admin: pg.Client;
before(async () => {
  cluster = await testDatabase();
  admin = new pg.Client(cluster.connection);
  await admin.connect();
  await admin.query('create table entry (id int primary key)');
});
after(async () => {
  await admin.end();
  await cluster.drop();
});

const oneRole = () => createRoles(cluster.name, false, 'damask');
const open = (connection: pg.ClientConfig = cluster.connection, statementTimeout = 5_000, roles: Roles = oneRole()) =>
  openDatabase({ connection, roles, log, poolSize: 1, statementTimeout });

const othersConnected = async () =>
  Number(
    (
      await admin.query(
        'select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      )
    ).rows[0].count,
  );

test('a failed statement that its work passes over does not end as a success', async () => {
  const database = open();
  await assert.rejects(
    database.transaction(scope, async (transaction) => {
      await transaction.query('insert into entry values (1)');
      await transaction.query('insert into entry values (1)').catch(() => undefined);
    }),
    /rolled back although its work ended well/,
  );
  assert.equal((await admin.query('select from entry')).rowCount, 0);
  await database.end();
});

test('a connection that is lost between two statements is told by the next one and ends nothing else', async () => {
  const database = open();
  await assert.rejects(
    database.transaction(scope, async (transaction) => {
      const [row] = await transaction.query<{ pid: number }>('select pg_backend_pid() as pid');
      await admin.query('select pg_terminate_backend($1)', [row?.pid]);
      await systemClock.sleep(100);
      await transaction.query('select 1');
    }),
    { code: 'unavailable' },
  );
  assert.deepEqual(await database.transaction(scope, (transaction) => transaction.query('select 1 as one')), [
    { one: 1 },
  ]);
  await database.end();
});

test('a role that cannot be taken leaves no connection open', async () => {
  const database = open(cluster.connection, 5_000, createRoles(`${cluster.name}_no_such`, true, 'damask'));
  await assert.rejects(database.dedicated('journal'), /does not exist/);
  for (let wait = 0; wait < 50 && (await othersConnected()) > 0; wait++) await systemClock.sleep(20);
  assert.equal(await othersConnected(), 0);
  await database.end();
});

/** A way to the database that can fall silent, as a network does that drops everything. */
async function openLine() {
  const folder = await mkdtemp(join(tmpdir(), 'damask-line-'));
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((near) => {
    const far = connect(`${cluster.connection.host}/.s.PGSQL.5432`);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk: Buffer) => silent || to.write(chunk));
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(join(folder, '.s.PGSQL.5432'), resolve);
  });
  return {
    connection: { ...cluster.connection, host: folder },
    setSilent(now: boolean) {
      silent = now;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

test('a silent network is noticed by statement, and the pool works again when it is over', async () => {
  const line = await openLine();
  const database = open(line.connection, 300);
  await database.transaction(scope, (transaction) => transaction.query('select 1'));
  line.setSilent(true);
  const started = systemClock.monotonic();
  await assert.rejects(
    database.transaction(scope, (transaction) => transaction.query('select 1')),
    { code: 'unavailable' },
  );
  assert.ok(systemClock.monotonic() - started < 2_000);
  line.setSilent(false);
  await database.transaction(scope, (transaction) => transaction.query('select 1'));
  await database.end();
  await line.close();
});

test('a silent network is noticed by a dedicated connection too', async () => {
  const line = await openLine();
  const database = open(line.connection, 300);
  const client = await database.dedicated('journal');
  line.setSilent(true);
  await assert.rejects(client.query('select 1'), /timeout/);
  await client.end();
  await database.end();
  await line.close();
});
