import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '#platform/clock.ts';
import { type ProcessRegistry, registerProcess } from '#platform/process-registry.ts';
import { type MigratedDatabase, migratedDatabase } from '#platform/testing/migrated-database.ts';
import { createScriptedRuns, type ScriptedRuns } from './scripted-runs-for-tests.ts';
import { createTaskQueue, type TaskQueue } from './task-queue.ts';
import { enqueued } from './tasks-for-tests.ts';

const clock = systemClock;
/** No process has it: who is registered with it is dead on this host. */
const deadPid = 2 ** 22 + 1;

let cluster: MigratedDatabase;
let admin: pg.Client;
before(async () => {
  cluster = await migratedDatabase({ pattern: `${import.meta.dirname}/../migrations` });
  admin = new pg.Client(cluster.connection);
  await admin.connect();
});
// A process that a test leaves behind would keep this one from ending.
const running = new Set<TestProcess>();
afterEach(async () => {
  for (const one of running) await one.stop();
});
after(async () => {
  await admin.end();
  await cluster.drop();
});

interface TestProcess {
  readonly queue: TaskQueue;
  readonly registry: ProcessRegistry;
  readonly runs: ScriptedRuns;
  stop(): Promise<void>;
}

async function startProcess(
  options: { slots?: number; pid?: number; giveUpAfter?: number } = {},
): Promise<TestProcess> {
  const { database, log } = cluster;
  const registry = await registerProcess({ database, clock, log, pid: options.pid ?? process.pid });
  const runs = createScriptedRuns();
  const queue = createTaskQueue({
    ...{ database, registry, runs, clock, log },
    sealBare: (row, end) => Promise.resolve(runs.bare(row, end)),
    packSteps: async () => [],
    readSteps: async () => [],
    slots: options.slots ?? 8,
    workspaceLimit: 100,
    giveUpAfter: options.giveUpAfter ?? 5,
    announce: () => undefined,
    random: () => 0,
  });
  const started = {
    ...{ queue, registry, runs },
    async stop() {
      running.delete(started);
      runs.release();
      await queue.drain(0);
      await queue.stop();
      await registry.stop();
    },
  };
  running.add(started);
  return started;
}

async function endOf(run: string) {
  for (let look = 0; look < 400; look++) {
    const { rows } = await admin.query('select status, error_code, attempts from pattern.finished where id = $1', [
      run,
    ]);
    if (rows[0]) return rows[0];
    await clock.sleep(25);
  }
  throw new Error('The run did not end');
}
const taskOf = async (run: string) => (await admin.query('select * from pattern.task where id = $1', [run])).rows[0];
const accept = async (queue: TaskQueue, ...given: Parameters<typeof enqueued>) => {
  const run = enqueued(...given);
  await queue.accept(run);
  return run.row.id;
};

test('an accepted run is called once and ends, and so does one that is taken in hand as it is accepted', async () => {
  const one = await startProcess();
  const run = await accept(one.queue);
  assert.equal((await endOf(run)).status, 'succeeded');
  const here = enqueued();
  await one.queue.acceptHere(here);
  assert.equal((await endOf(here.row.id)).status, 'succeeded');
  assert.deepEqual(one.runs.called, [run, here.row.id]);
  assert.equal(await taskOf(run), undefined);
  await one.stop();
});

test('no more runs are called at once than there are slots, and bulk work leaves one of eight free', async () => {
  const one = await startProcess();
  one.runs.hold();
  const bulk = await Promise.all(Array.from({ length: 10 }, () => accept(one.queue, { lane: 'bulk' })));
  await one.runs.untilCalled(7);
  await accept(one.queue);
  await one.runs.untilCalled(8);
  await clock.sleep(300);
  assert.equal(one.runs.called.length, 8);
  one.runs.release();
  for (const run of bulk) assert.equal((await endOf(run)).status, 'succeeded');
  await one.stop();
});

test('a run whose process died before its call was noted is called by another, once', async () => {
  const dead = await startProcess({ pid: deadPid });
  dead.runs.holdOpening();
  const run = await accept(dead.queue);
  await dead.runs.untilOpened(1);
  const other = await startProcess();
  assert.deepEqual((await endOf(run)).attempts, [{ ...okAttempt }]);
  assert.deepEqual(dead.runs.called, []);
  assert.deepEqual(other.runs.called, [run]);
  await Promise.all([dead.stop(), other.stop()]);
});

const okAttempt = {
  number: 1,
  model: 'fake/model',
  outcome: 'succeeded',
  code: null,
  provider_status: 200,
  first_output_ms: null,
  total_ms: null,
};

test('a run whose process died during its call is uncertain; what the dead one says later is thrown away', async () => {
  const dead = await startProcess({ pid: deadPid });
  dead.runs.hold();
  const run = await accept(dead.queue);
  await dead.runs.untilCalled(1);
  const other = await startProcess();
  const end = await endOf(run);
  assert.equal(end.status, 'failed');
  assert.equal(end.error_code, 'interrupted');
  assert.deepEqual(
    end.attempts.map(({ outcome }: { outcome: string }) => outcome),
    ['uncertain'],
  );
  assert.deepEqual(other.runs.called, []);
  dead.runs.release();
  await dead.runs.untilClosed(1);
  assert.equal((await endOf(run)).status, 'failed');
  assert.deepEqual(dead.runs.endsTold, []);
  await Promise.all([dead.stop(), other.stop()]);
});

test('a process that stops hands back what it has not ended, and nothing counts against the run', async () => {
  const first = await startProcess();
  first.runs.hold('retry');
  const run = await accept(first.queue);
  await first.runs.untilCalled(1);
  await first.queue.drain(50);
  const task = await taskOf(run);
  assert.equal(task.state, 'queued');
  assert.equal(task.deliveries, 0);
  assert.equal(task.calling.length, 1);
  const other = await startProcess();
  const end = await endOf(run);
  assert.equal(end.status, 'succeeded');
  assert.deepEqual(
    end.attempts.map(({ outcome }: { outcome: string }) => outcome),
    ['uncertain', 'succeeded'],
  );
  await Promise.all([first.stop(), other.stop()]);
});

test('a run that outlives process after process is given up', async () => {
  const run = enqueued();
  const writer = await startProcess({ slots: 0 });
  await writer.queue.accept(run);
  for (let death = 0; death < 2; death++) {
    const dead = await startProcess({ pid: deadPid, slots: 1, giveUpAfter: 2 });
    dead.runs.holdOpening();
    await dead.runs.untilOpened(1);
    // It must not get further while it ends.
    dead.runs.refuseOpening();
    await dead.stop();
    await admin.query(
      `update pattern.task set state = 'queued', owner = null, ready_at = now(), token = token + 1, deliveries = deliveries + 1
        where id = $1`,
      [run.row.id],
    );
  }
  const last = await startProcess({ giveUpAfter: 2 });
  const end = await endOf(run.row.id);
  assert.equal(end.error_code, 'gave_up');
  assert.deepEqual(last.runs.called, []);
  await Promise.all([last.stop(), writer.stop()]);
});

test('a run that cannot be opened stays queued and says why; beyond its deadline it ends', async () => {
  const one = await startProcess();
  one.runs.refuseOpening();
  const run = await accept(one.queue);
  const late = await accept(one.queue, {
    ready_at: new Date(clock.now() + 60_000).toISOString(),
    deadline: new Date(clock.now() + 200).toISOString(),
  });
  assert.equal((await endOf(late)).error_code, 'timeout');
  const task = await taskOf(run);
  assert.equal(task.state, 'queued');
  assert.match(task.why, /cannot be opened/);
  assert.equal(await one.queue.endQueued(one.runs.bare(enqueued().row, one.runs.cancelled).row, null), false);
  await one.stop();
});

test('a claim whose answer was lost is found again and goes on', async () => {
  const one = await startProcess();
  const claims = `hashtextextended('damask claim', 0)`;
  await admin.query(`select pg_advisory_lock(${claims})`);
  one.queue.wake();
  const run = enqueued({}, undefined, one.registry.id);
  const other = await startProcess({ slots: 0 });
  // Committed for this process, which will never hear of it: its connection ends in the middle of the claim.
  await other.queue.accept(run);
  const waiting = `from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())`;
  for (let look = 0; look < 100 && !(await admin.query(`select ${waiting}`)).rowCount; look++) await clock.sleep(20);
  await admin.query(`select pg_terminate_backend(pid) ${waiting}`);
  await admin.query(`select pg_advisory_unlock(${claims})`);
  assert.equal((await endOf(run.row.id)).status, 'succeeded');
  await Promise.all([one.stop(), other.stop()]);
});
