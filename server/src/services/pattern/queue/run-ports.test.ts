import pg from 'pg';
import { systemClock } from '#platform/clock.ts';
import { migratedDatabase } from '#platform/testing/migrated-database.ts';
import { testKeys } from '#platform/testing/test-keys.ts';
import { createVault } from '#platform/vault.ts';
import { keepDecision, lockAskedSteps } from '../engine/decision-store.ts';
import { createStepStore, sealComment } from '../engine/step-store.ts';
import { testStoreContract } from '../engine/store-contract-for-tests.ts';
import { claimTasks } from './claim-tasks-store.ts';
import { createRunPorts } from './run-ports.ts';
import { goByIndexes, takeFrom } from './task-store.ts';
import { createTaskWriter } from './task-writer.ts';
import { enqueued, finishedRow } from './tasks-for-tests.ts';

testStoreContract('on PostgreSQL', async () => {
  const cluster = await migratedDatabase({ pattern: `${import.meta.dirname}/../migrations` });
  const { database, connection, log } = cluster;
  const admin = new pg.Client(connection);
  await admin.connect();
  const claimer = await database.dedicated('worker');
  await goByIndexes(claimer);
  const me = systemClock.uuid();
  const vault = createVault({ database, keys: testKeys(), process: me, clock: systemClock, log });
  const steps = createStepStore({ database, vault });
  const connect = () => database.dedicated('worker');
  const writer = createTaskWriter({ connect, packSteps: steps.pack, clock: systemClock, log });
  const accepted = new Map<string, ReturnType<typeof enqueued>>();
  const workspace = systemClock.uuid();
  await vault.ready(workspace);
  const ports = createRunPorts({
    writer,
    readSteps: steps.read,
    toRecord: async ({ id }, { status }) => {
      const { row } = accepted.get(id) as ReturnType<typeof enqueued>;
      return { row: { ...finishedRow(row), status }, payload: null };
    },
  });
  const toTime = (milliseconds: number | undefined) =>
    milliseconds === undefined ? null : new Date(milliseconds).toISOString();
  return {
    ...ports,
    async add({ deadline, readyAt } = {}) {
      const run = enqueued({ deadline: toTime(deadline), ready_at: toTime(readyAt) }, workspace);
      accepted.set(run.row.id, run);
      await writer.accept(run);
      return run.row.id;
    },
    async claim(run) {
      const { tasks } = await claimTasks(claimer, { owner: me, slots: 50, bulkSlots: 50, workspaceLimit: 50 });
      return tasks.find(({ claim }) => claim.id === run)?.claim;
    },
    async takeOver(run) {
      await takeFrom(claimer, [me], { died: true, only: [run], limit: 1 });
    },
    decide: (run, path, { decision, comment, actor }) =>
      database.transaction({ role: 'pattern', workspace }, async (transaction) => {
        const asked = (await lockAskedSteps(transaction, run)) ?? [];
        if (!asked.some((step) => step.path === path)) return false;
        const sealed = comment === null ? null : await sealComment(vault, workspace, run, path, comment);
        await keepDecision(transaction, { run, path, decision, actor, comment: sealed });
        return true;
      }),
    async endOf(run) {
      const { rows } = await admin.query('select status from pattern.finished where id = $1', [run]);
      return rows[0];
    },
    async now() {
      const { rows } = await admin.query<{ now: Date }>('select now()');
      return (rows[0] as { now: Date }).now.getTime();
    },
    async close() {
      await writer.stop(1_000);
      await claimer.end();
      await admin.end();
      await cluster.drop();
    },
  };
});
