import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '#platform/clock.ts';
import { type MigratedDatabase, migratedDatabase } from '#platform/testing/migrated-database.ts';
import { claimTasks, prepareClaims } from './claim-tasks-store.ts';
import { createTaskWriter, type TaskWriter } from './task-writer.ts';
import { enqueued, finishedRow } from './tasks-for-tests.ts';

const migrations = `${import.meta.dirname}/../migrations`;

let cluster: MigratedDatabase;
let admin: pg.Client;
let writer: TaskWriter;
let claimer: pg.Client;
before(async () => {
  cluster = await migratedDatabase({ pattern: migrations });
  admin = new pg.Client(cluster.connection);
  await admin.connect();
  writer = createTaskWriter({
    connect: () => cluster.database.dedicated('worker'),
    keepSteps: async () => undefined,
    clock: systemClock,
    log: cluster.log,
  });
  claimer = await cluster.database.dedicated('worker');
  await prepareClaims(claimer);
});
after(async () => {
  await writer.stop(1_000);
  await claimer.end();
  await admin.end();
  await cluster.drop();
});

const me = systemClock.uuid();
const claim = (slots = 8, bulkSlots = slots) =>
  claimTasks(claimer, { owner: me, slots, bulkSlots, workspaceLimit: 1_000 }).then(({ tasks }) => tasks);

test('an accepted run is claimed once, and its end removes the work', async () => {
  const run = enqueued();
  await writer.accept(run);
  const [task, ...others] = await claim();
  assert.deepEqual(others, []);
  assert.equal(task?.claim.id, run.row.id);
  assert.equal(task?.claim.token, 1n);
  assert.deepEqual(task?.request, run.task.request);
  assert.deepEqual(await claim(), []);
  const end = { token: 1n, row: finishedRow(run.row), payload: Buffer.from('sealed'), done: [] };
  assert.equal(await writer.end(end), 'held');
  assert.equal(await writer.end(end), 'lost');
  assert.equal((await admin.query('select from pattern.task')).rowCount, 0);
  const { rows } = await admin.query('select status, payload from pattern.finished where id = $1', [run.row.id]);
  assert.deepEqual(rows, [{ status: 'succeeded', payload: Buffer.from('sealed') }]);
});
