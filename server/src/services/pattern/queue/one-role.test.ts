import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { systemClock } from '#platform/clock.ts';
import { openDatabase } from '#platform/database/database.ts';
import { migrate } from '#platform/database/migrate.ts';
import { prepareDatabase } from '#platform/database/prepare.ts';
import { testDatabase } from '#platform/testing/postgres.ts';
import { silentLog as log } from '#platform/testing/postgres-workbench.ts';
import { claimTasks } from './claim-tasks-store.ts';
import { goByIndexes } from './task-store.ts';
import { createTaskWriter } from './task-writer.ts';
import { enqueued, finishedRow } from './tasks-for-tests.ts';

test('where the database has one role for all, runs are queued, claimed and ended as well', async () => {
  const cluster = await testDatabase();
  const admin = new pg.Client(cluster.connection);
  await admin.connect();
  const user = `${cluster.name}_alone`;
  await admin.query(`create role ${user} login`);
  await admin.query(`grant create on database ${cluster.name} to ${user}`);
  const connection = { ...cluster.connection, user };
  const folders = { pattern: `${import.meta.dirname}/../migrations` };
  const { roles } = await prepareDatabase({ connection, services: ['pattern'] });
  assert.equal(roles.name('worker'), null);
  await migrate({ connection, roles, folders, contract: false, log });
  const database = openDatabase({ connection, roles, log, poolSize: 2, statementTimeout: 5_000 });
  const connect = () => database.dedicated('worker');
  const writer = createTaskWriter({ connect, packSteps: async () => [], clock: systemClock, log });
  const claimer = await goByIndexes(await connect());
  try {
    const run = enqueued();
    await writer.accept(run);
    const owner = systemClock.uuid();
    const { tasks } = await claimTasks(claimer, { owner, slots: 1, bulkSlots: 1, workspaceLimit: 1 });
    assert.deepEqual(
      tasks.map(({ row }) => row.id),
      [run.row.id],
    );
    assert.equal(await writer.end({ token: 1n, row: finishedRow(run.row), payload: null, done: [] }), 'held');
    const other = { role: 'pattern', workspace: systemClock.uuid() };
    const seen = await database.transaction(other, (transaction) =>
      transaction.query('select from pattern.finished union all select from pattern.task'),
    );
    assert.deepEqual(seen, []);
  } finally {
    await Promise.all([writer.stop(1_000), claimer.end(), database.end()]);
    await admin.query(`drop owned by ${user}`);
    await admin.end();
    await cluster.drop();
  }
});
