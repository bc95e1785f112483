import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { registerProcess } from '#platform/process-registry.ts';
import { type MigratedDatabase, migratedDatabase } from '#platform/testing/migrated-database.ts';
import { unknownUsage } from '../model/model-call.ts';
import { unknownModel } from '../routing/model-facts.ts';
import type { RoutedResult } from '../routing/routed-call.ts';
import { patternMigrations } from '../service.ts';
import { saveBudget } from './budget-store.ts';
import { createBudgetTable } from './budget-table.ts';
import { type Budgets, createBudgets, type Reservation } from './budgets.ts';
import { lockPeriods } from './ledger-store.ts';
import type { MostOfRun } from './most-of-run.ts';
import { startReconciliation } from './reconcile-leases.ts';

const workspace = systemClock.uuid();
const prices = [{ from: 0, input: 1_000_000, output: 1_000_000, cached_input: null, cache_write: null }];
const most: MostOfRun = { micros: 100, tokens: 100, call: { micros: 100, tokens: 100 }, unpriced: undefined };
const budget = systemClock.uuid();
const left: (() => Promise<void>)[] = [];
let db: MigratedDatabase;

before(async () => {
  db = await migratedDatabase({ pattern: patternMigrations });
});
beforeEach(async () => {
  for (const stop of left.splice(0)) await stop();
  await sql('delete from pattern.budget_hold');
  await sql('delete from pattern.budget');
});
after(async () => {
  for (const stop of left.splice(0)) await stop();
  await db.drop();
});

const inWorkspace = { role: 'pattern', workspace };
const sql = <Row = Record<string, string>>(text: string) =>
  db.database.transaction(inWorkspace, (transaction) => transaction.query<Row>(text));
const limitTo = (limit_micros: number, period: 'day' | 'month' = 'day') =>
  db.database.transaction(inWorkspace, (transaction) =>
    saveBudget(transaction, {
      workspace,
      id: budget,
      name: 'all',
      covers: 'workspace',
      covered: null,
      period,
      limit_micros,
      limit_tokens: null,
    }),
  );

/** The part of a process that keeps budgets, over the one database. */
async function openProcess() {
  const { database, log } = db;
  const registry = await registerProcess({ database, clock: systemClock, log, pid: process.pid });
  const table = createBudgetTable(database, () => undefined);
  await table.load();
  const parts = { database, registry, clock: systemClock, log };
  const budgets = createBudgets({ ...parts, table });
  const reconciliation = startReconciliation(parts);
  left.push(async () => {
    await reconciliation.stop();
    await budgets.stop(1_000);
    await registry.stop();
  });
  return { budgets, id: registry.id, table, reconcile: () => reconciliation.now() };
}

const reserve = async (budgets: Budgets, run = systemClock.uuid(), queued = false) => {
  const scope = { workspace, key: 'k', patterns: ['p'], environment: null };
  return (await budgets.reserve(scope, { run, queued, most: () => most })) as Reservation;
};
const tookIt = (tokens: number): RoutedResult => ({
  ok: true,
  stopReason: 'stop',
  usage: { ...unknownUsage, input_tokens: tokens, output_tokens: 0 },
  tool_calls: [],
  status: 200,
  firstOutputMs: 1,
  served: { name: 'lab/small', facts: { ...unknownModel, prices } },
  attempts: [
    {
      number: 1,
      model: 'lab/small',
      outcome: 'succeeded',
      code: null,
      provider_status: 200,
      first_output_ms: 1,
      total_ms: 2,
    },
  ],
});

async function state() {
  const [row] = await sql<{ spent: string; held: string; holds: string }>(
    `select (select coalesce(sum(spent_micros), 0) from pattern.budget_period) as spent,
            (select coalesce(sum(micros), 0) from pattern.budget_lease) as held,
            (select count(*) from pattern.budget_hold) as holds`,
  );
  return { spent: Number(row?.spent), held: Number(row?.held), holds: Number(row?.holds) };
}
async function rest(...processes: { budgets: Budgets }[]) {
  for (let i = 0; i < 3; i++) for (const { budgets } of processes) await budgets.settled(workspace);
  return state();
}

test('fifty calls at once in two processes against a budget for ten: ten go out', async () => {
  await limitTo(1_000);
  const [one, two] = [await openProcess(), await openProcess()];
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, i) => reserve(i % 2 === 0 ? one.budgets : two.budgets)),
  );
  const admitted = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  assert.equal(admitted.length, 10);
  for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'budget_exceeded');
  assert.deepEqual(await state(), { spent: 0, held: 1_000, holds: 10 });
  for (const reservation of admitted) reservation.settle(tookIt(60));
  assert.deepEqual(await rest(one, two), { spent: 600, held: 0, holds: 0 });
  assert.equal(
    (await Promise.allSettled(Array.from({ length: 9 }, () => reserve(two.budgets)))).filter(
      (r) => r.status === 'fulfilled',
    ).length,
    4,
  );
});

test('a process that stands still with the budgets locked keeps nobody else from reserving', async () => {
  await limitTo(1_000);
  const { budgets } = await openProcess();
  await reserve(budgets);
  const names = [{ budget, start: (await sql('select start::text from pattern.budget_period'))[0]?.start ?? '' }];
  const frozen = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const standing = db.database.transaction(inWorkspace, async (transaction) => {
    await lockPeriods(transaction, workspace, systemClock.uuid(), names);
    held.resolve();
    await frozen.promise;
  });
  await held.promise;
  await reserve(budgets, systemClock.uuid(), true);
  frozen.resolve();
  await assert.rejects(standing, { code: 'unavailable' });
});

test('what a dead process holds counts as used until it is settled: known ends as they were, open calls at their maximum', async () => {
  await limitTo(1_000);
  const [dead, living] = [await openProcess(), await openProcess()];
  const known = systemClock.uuid();
  await reserve(dead.budgets, known);
  for (let i = 0; i < 2; i++) await reserve(dead.budgets);
  await reserve(dead.budgets, systemClock.uuid(), true);
  for (let i = 0; i < 6; i++) (await reserve(living.budgets)).settle(tookIt(10));
  assert.deepEqual(await rest(living), { spent: 60, held: 400, holds: 4 });
  await living.reconcile();
  assert.equal((await state()).held, 400, 'it may still live');
  const attempts = JSON.stringify(tookIt(25).attempts);
  const { database } = db;
  await database.transaction({ role: 'journal', workspace: null }, (transaction) =>
    transaction.query(
      `insert into pattern.finished (workspace, id, process, accepted_at, pattern, version, digest, model, stream, actor, metadata,
         finished_at, status, input_tokens, output_tokens, cost_micros, attempts, sanitised)
       values ($1, $2, $3, now(), 'p', 1, '', 'lab/small', false, $1, '{}', now(), 'succeeded', 25, 0, 25, $4, false)`,
      [workspace, known, dead.id, attempts],
    ),
  );
  await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query('update platform.process set recovered_at = now() where id = $1', [dead.id]),
  );
  await Promise.all([living.reconcile(), living.reconcile()]);
  assert.deepEqual(await state(), { spent: 60 + 25 + 300, held: 0, holds: 0 });
});

test('a process that others took for dead charges its calls once, and takes a lease of its own again', async () => {
  await limitTo(1_000);
  const [paused, living] = [await openProcess(), await openProcess()];
  const open = await reserve(paused.budgets);
  await db.database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query('update platform.process set recovered_at = now() where id = $1', [paused.id]),
  );
  await living.reconcile();
  assert.deepEqual(await state(), { spent: 100, held: 0, holds: 0 });
  open.settle(tookIt(70));
  assert.deepEqual(await rest(paused), { spent: 100, held: 0, holds: 0 });
  (await reserve(paused.budgets)).settle(tookIt(7));
  assert.deepEqual(await rest(paused), { spent: 107, held: 0, holds: 0 });
});

test('under random load in three processes, one of which dies, spent and held never exceed the limit', async () => {
  const limit = 40_000;
  await limitTo(limit);
  const processes = [await openProcess(), await openProcess(), await openProcess()] as const;
  const [dying] = processes;
  let counted = 0;
  let watching = true;
  const exceeded: object[] = [];
  const watch = (async () => {
    while (watching) {
      const now = await state();
      if (now.spent + now.held > limit) exceeded.push(now);
    }
  })();
  let seed = 7;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  let lost = 0;
  await Promise.all(
    processes.map(async ({ budgets }) => {
      for (let i = 0; i < 60; i++) {
        const dies = budgets === dying.budgets && i > 40;
        await Promise.all(
          Array.from({ length: 5 }, async () => {
            const reservation = await reserve(budgets).catch(() => undefined);
            if (!reservation) return;
            if (dies) {
              lost += 1;
              return;
            }
            const took = Math.floor(random() * 100);
            if (random() < 0.1) reservation.release();
            else {
              reservation.settle(tookIt(took));
              counted += took;
            }
          }),
        );
      }
    }),
  );
  const others = processes.slice(1);
  await rest(...processes);
  await db.database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query('update platform.process set recovered_at = now() where id = $1', [dying.id]),
  );
  await others[0]?.reconcile();
  watching = false;
  await watch;
  assert.deepEqual(exceeded, []);
  assert.deepEqual(await state(), { spent: counted + lost * 100, held: 0, holds: 0 });
});

test('a database that is away for a moment loses no charge and counts none twice', async () => {
  await limitTo(100_000);
  const { budgets } = await openProcess();
  const reservations = [];
  for (let i = 0; i < 20; i++) reservations.push(await reserve(budgets));
  const real = db.database.transaction.bind(db.database);
  let failures = 3;
  const broken = db.database as { transaction: typeof real };
  broken.transaction = async (scope, work) => {
    if (scope.role !== 'pattern' || failures-- <= 0) return real(scope, work);
    // Twice it fails before, once the reply to the commit is lost.
    if (failures > 0) throw new Error('no connection');
    await real(scope, work);
    throw new Error('connection lost');
  };
  for (const reservation of reservations) reservation.settle(tookIt(50));
  await budgets.settled(workspace);
  broken.transaction = real;
  assert.deepEqual(await rest({ budgets }), { spent: 1_000, held: 0, holds: 0 });
});
