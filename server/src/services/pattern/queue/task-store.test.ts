import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '#platform/clock.ts';
import { type MigratedDatabase, migratedDatabase } from '#platform/testing/migrated-database.ts';
import { type ClaimOptions, claimLateTasks, claimTasks } from './claim-tasks-store.ts';
import type { Enqueued, HeldTask, NewTask } from './task-record.ts';
import { goByIndexes, listOwners, takeFrom } from './task-store.ts';
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
  writer = openWriter();
  claimer = await cluster.database.dedicated('worker');
  await goByIndexes(claimer);
});
afterEach(() => admin.query('truncate pattern.task, pattern.task_turn, pattern.provider'));
after(async () => {
  await writer.stop(1_000);
  await claimer.end();
  await admin.end();
  await cluster.drop();
});

const openWriter = () =>
  createTaskWriter({
    connect: () => cluster.database.dedicated('worker'),
    packSteps: async () => [],
    clock: systemClock,
    log: cluster.log,
  });
const me = systemClock.uuid();
const uuid = () => systemClock.uuid();
const claim = async (options: Partial<ClaimOptions> = {}) => {
  const { slots = 8 } = options;
  const { tasks } = await claimTasks(claimer, {
    owner: me,
    bulkSlots: slots,
    workspaceLimit: 1_000,
    ...options,
    slots,
  });
  return tasks;
};
const accept = (task: Partial<NewTask> = {}, workspace?: string) => {
  const run = enqueued(task, workspace);
  return writer.accept(run).then(() => run);
};
const acceptMany = (count: number, task: Partial<NewTask> = {}, workspace = uuid()) =>
  Promise.all(Array.from({ length: count }, () => accept(task, workspace)));
const idsOf = (runs: readonly (Enqueued | HeldTask)[]) => runs.map(({ row }) => row.id);
const workspacesOf = (tasks: readonly HeldTask[]) => tasks.map(({ row }) => row.workspace);
const countOf = async (table: string) => Number((await admin.query(`select count(*) from ${table}`)).rows[0].count);
const endOf = ({ row, claim: { token } }: HeldTask) => ({ token, row: finishedRow(row), payload: null, done: [] });

test('an accepted run is claimed once, and its end removes the work', async () => {
  const run = await accept();
  const [task, ...others] = (await claim()) as [HeldTask];
  assert.deepEqual(others, []);
  assert.partialDeepStrictEqual(task.row, run.row);
  assert.equal(task.claim.token, 1n);
  assert.deepEqual(task.request, run.task.request);
  assert.deepEqual(await claim(), []);
  const end = { ...endOf(task), payload: Buffer.from('sealed') };
  assert.equal(await writer.end(end), 'held');
  assert.equal(await writer.end(end), 'lost');
  assert.equal(await countOf('pattern.task'), 0);
  const { rows } = await admin.query('select status, payload from pattern.finished where id = $1', [run.row.id]);
  assert.deepEqual(rows, [{ status: 'succeeded', payload: Buffer.from('sealed') }]);
});

test('an acceptance that is repeated after the run has ended does not queue it again', async () => {
  const run = await accept();
  const [task] = (await claim()) as [HeldTask];
  await writer.end(endOf(task));
  await writer.accept(run);
  assert.equal(await countOf('pattern.task'), 0);
});

test('an end whose reply was lost counts as kept, and what was not kept is written again', async () => {
  const runs = await acceptMany(2);
  const tasks = await claim();
  assert.equal(tasks.length, runs.length);
  let cut = 0;
  const cutter = createTaskWriter({
    connect: async () => {
      const client = await cluster.database.dedicated('worker');
      const query = client.query.bind(client) as (...given: unknown[]) => Promise<unknown>;
      client.query = (async (...given: unknown[]) => {
        const result = await query(...given);
        cut += 1;
        // Committed, and nobody is told.
        if (cut === 2) throw new Error('Connection terminated unexpectedly');
        return result;
      }) as typeof client.query;
      return client;
    },
    packSteps: async () => [],
    clock: systemClock,
    log: cluster.log,
  });
  const kept = await Promise.all(tasks.map((task) => cutter.end(endOf(task))));
  assert.deepEqual(kept, ['held', 'held']);
  await cutter.stop(1_000);
});

test('a holder that was taken over can write nothing more', async () => {
  await accept();
  const [first] = (await claim()) as [HeldTask];
  const calling = [{ step: '', number: 1, model: 'fake/model', reserved_micros: 7, on_uncertain: 'fail' as const }];
  const change = { claim: first.claim, state: 'running' as const, ready_at: 'now', why: null, done: [], calling };
  assert.equal(await writer.change(change), 'held');
  assert.deepEqual(await listOwners(claimer), [me]);
  assert.equal(await takeFrom(claimer, [me], { died: true, limit: 10 }), 1);
  const [second] = (await claim({ owner: uuid() })) as [HeldTask];
  assert.equal(second.claim.token, 3n);
  assert.equal(second.claim.deliveries, 1);
  assert.deepEqual(second.claim.calling, calling);
  assert.equal(await writer.change({ ...change, calling: [] }), 'lost');
  assert.equal(await writer.end(endOf(first)), 'lost');
  assert.equal(await writer.end(endOf(second)), 'held');
});

test('work that is put off comes back at its time, and work that waits for somebody does not', async () => {
  await acceptMany(2);
  const [later, waiting] = (await claim()) as [HeldTask, HeldTask];
  const put = { why: null, done: [], calling: [] };
  const soon = new Date(systemClock.now() + 150).toISOString();
  assert.equal(await writer.change({ ...put, claim: later.claim, state: 'queued', ready_at: soon }), 'held');
  const wait = { ...put, claim: waiting.claim, state: 'waiting' as const, ready_at: 'infinity', why: 'approval' };
  assert.equal(await writer.change(wait), 'held');
  assert.deepEqual(await claim(), []);
  await systemClock.sleep(200);
  assert.deepEqual(idsOf(await claim()), [later.row.id]);
  assert.equal(await writer.end({ ...endOf(waiting), token: null }), 'held');
  assert.equal(await writer.end({ ...endOf(later), token: null }), 'lost');
});

test('interactive work goes before bulk work, then the higher priority, then what came first', async () => {
  const workspace = uuid();
  const bulk = await accept({ lane: 'bulk', priority: 10 }, workspace);
  const plain = await acceptMany(3, {}, workspace);
  const high = await accept({ priority: 1 }, workspace);
  const other = await accept({ provider: 'other', model: 'other/model', priority: 2 }, workspace);
  const expected = [other, high, ...plain, bulk].map(({ row }) => row.id);
  assert.deepEqual(idsOf(await claim()), expected);
});

test('bulk work takes its own slots only', async () => {
  await acceptMany(8, { lane: 'bulk' });
  const interactive = await accept();
  assert.equal((await claim({ slots: 8, bulkSlots: 3 })).length, 4);
  assert.deepEqual(await claim({ slots: 4, bulkSlots: 0 }), []);
  assert.ok(interactive);
});

test('the first queued run of a workspace is among the next slots, one for each workspace with work', async () => {
  const crowd = await Promise.all(Array.from({ length: 3 }, () => acceptMany(20)));
  await claim({ slots: 6 });
  const late = await acceptMany(2);
  const next: HeldTask[] = [];
  for (let slot = 0; slot < 4; slot++) next.push(...(await claim({ slots: 1 })));
  const served = new Set(workspacesOf(next));
  assert.equal(served.size, 4);
  assert.ok(served.has(late[0]?.row.workspace as string));
  assert.equal(crowd.length, 3);
});

test('slots are shared evenly, whatever their number at a time', async () => {
  const workspaces = await Promise.all(Array.from({ length: 3 }, () => acceptMany(40)));
  const taken: string[] = [];
  for (const slots of [2, 5, 1, 7, 4, 2, 9]) taken.push(...workspacesOf(await claim({ slots })));
  assert.equal(taken.length, 30);
  for (const [run] of workspaces) assert.equal(taken.filter((id) => id === run?.row.workspace).length, 10);
});

test('work that is at a limit is passed over and does not hold up other work', async () => {
  const workspace = uuid();
  const limits = JSON.stringify({ concurrency: 2, requests_per_minute: null, tokens_per_minute: null });
  const offers = JSON.stringify([{ id: 'one', concurrency: 1 }, { id: 'two' }]);
  await admin.query(
    `insert into pattern.provider (workspace, name, base_url, models, limits) values ($1, 'slow', '', $2, $3)`,
    [workspace, offers, limits],
  );
  await acceptMany(5, { provider: 'slow', model: 'slow/one', priority: 9 }, workspace);
  await acceptMany(5, { provider: 'slow', model: 'slow/two', priority: 5 }, workspace);
  await acceptMany(5, { provider: 'free', model: 'free/one', lane: 'bulk' }, workspace);
  const { tasks, blocked } = await claimTasks(claimer, { owner: me, slots: 4, bulkSlots: 4, workspaceLimit: 100 });
  const models = tasks.map(({ row }) => row.id).length;
  assert.equal(models, 4);
  const running = await admin.query(
    `select model, count(*)::int as n from pattern.task where state = 'running' group by model order by model`,
  );
  assert.deepEqual(running.rows, [
    { model: 'free/one', n: 2 },
    { model: 'slow/one', n: 1 },
    { model: 'slow/two', n: 1 },
  ]);
  assert.equal(blocked, false);
  const more = await claimTasks(claimer, { owner: me, slots: 8, bulkSlots: 8, workspaceLimit: 5 });
  assert.equal(more.tasks.length, 1);
  assert.equal(more.blocked, true);
});

test('a workspace may have a limit of its own', async () => {
  const workspace = uuid();
  await admin.query('insert into pattern.task_turn (workspace, concurrency) values ($1, 2)', [workspace]);
  await acceptMany(5, {}, workspace);
  await acceptMany(5, {});
  assert.equal((await claim({ slots: 10 })).filter(({ row }) => row.workspace === workspace).length, 2);
});

test('what is beyond its deadline is claimed to be ended, whatever the limits say', async () => {
  const past = new Date(systemClock.now() - 1_000).toISOString();
  const late = await accept({ deadline: past, ready_at: new Date(systemClock.now() + 60_000).toISOString() });
  await accept({ deadline: new Date(systemClock.now() + 60_000).toISOString() });
  assert.deepEqual(idsOf(await claimLateTasks(claimer, me, 10)), [late.row.id]);
});

test('one claim brings as many large requests as fit, and at least one', async () => {
  const workspace = uuid();
  await acceptMany(5, { request: Buffer.alloc(3 * 1024 * 1024) }, workspace);
  assert.deepEqual([(await claim()).length, (await claim()).length, (await claim()).length], [3, 2, 0]);
});

test('claims that come together take each run once', async () => {
  const runs = await acceptMany(40);
  const clients = await Promise.all(Array.from({ length: 4 }, () => cluster.database.dedicated('worker')));
  const claimed = await Promise.all(
    clients.map((client) => claimTasks(client, { owner: uuid(), slots: 10, bulkSlots: 10, workspaceLimit: 100 })),
  );
  const ids = claimed.flatMap(({ tasks }) => idsOf(tasks));
  assert.deepEqual(new Set(ids), new Set(idsOf(runs)));
  assert.equal(ids.length, 40);
  await Promise.all(clients.map((client) => client.end()));
});
