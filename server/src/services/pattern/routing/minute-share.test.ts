import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { createFakeClock } from '#platform/testing/fake-clock.ts';
import { type MigratedDatabase, migratedDatabase } from '#platform/testing/migrated-database.ts';
import type { ProviderFailure } from '../model/provider-failure.ts';
import { patternMigrations } from '../service.ts';
import { type Caller, Gate, noLimits } from './gate.ts';
import { createMinuteStore, type MinuteStore } from './minute-store.ts';

const workspace = systemClock.uuid();
let db: MigratedDatabase;
before(async () => {
  db = await migratedDatabase({ pattern: patternMigrations });
});
after(() => db.drop());

/** The gate of one process; `call` answers once it may go out, or is refused. */
function openGate(name: string, limits: object, store: MinuteStore = createMinuteStore(db.database)) {
  const gate = new Gate({ name, workspace, clock: systemClock, log: db.log, minutes: store });
  gate.limits = { ...noLimits, ...limits };
  const call = (tokens = 0, patience = 300) =>
    new Promise<Caller | ProviderFailure>((resolve) => {
      const caller: Caller = { model: 'm', enter: () => resolve(caller), refuse: resolve };
      const answer = gate.ask(caller, tokens, patience);
      if (answer === 'go') resolve(caller);
      else if (answer !== 'wait') resolve(answer);
    });
  return { gate, call };
}
const wentOut = (answers: readonly (Caller | ProviderFailure)[]) =>
  answers.filter((answer) => 'enter' in answer).length;

/** Asks until so many went out: on a slow machine the patience of most may be over before the store answers. */
async function askUntil(most: number, ask: () => Promise<readonly (Caller | ProviderFailure)[]>): Promise<number> {
  let out = 0;
  for (let round = 0; round < 30 && out < most; round++) out += wentOut(await ask());
  return out;
}

test('processes share what a provider takes in a minute, calls and tokens', async () => {
  const limits = { requests_per_minute: 30 };
  const gates = [openGate('calls', limits), openGate('calls', limits), openGate('calls', limits)];
  const answers: (Caller | ProviderFailure)[] = [];
  const out = await askUntil(28, async () => {
    const asked = await Promise.all(Array.from({ length: 90 }, (_, i) => gates[i % 3]?.call() as Promise<Caller>));
    answers.push(...asked);
    return asked;
  });
  // What a process has ready and does not use may be missing for a moment.
  assert.ok(out <= 30 && out >= 28, `${out}`);
  const refused = answers.find((answer) => 'code' in answer) as unknown as ProviderFailure;
  assert.equal(refused.code, 'provider_busy');

  const tokens = { tokens_per_minute: 10_000 };
  const two = [openGate('tokens', tokens), openGate('tokens', tokens)];
  const taken = await askUntil(10, () =>
    Promise.all(Array.from({ length: 40 }, (_, i) => two[i % 2]?.call(1_000) as Promise<Caller>)),
  );
  assert.equal(taken, 10);
});

test('what a call did not use is there for the others', async () => {
  const limits = { tokens_per_minute: 1_000 };
  const [one, two] = [openGate('unused', limits), openGate('unused', limits)];
  const caller = (await one.call(1_000)) as Caller;
  assert.ok('code' in (await two.call(500)));
  one.gate.ended(caller, 'alive', null, 5, 900);
  await systemClock.sleep(700);
  // It is told to wait for the minute until then; another process learns of the room.
  assert.ok('enter' in (await openGate('unused', limits).call(500)));
});

test('a call that is larger than the limit goes alone; one process alone has all of the minute', async () => {
  const limits = { tokens_per_minute: 1_000, requests_per_minute: 40 };
  const { call } = openGate('large', limits);
  assert.ok('enter' in (await call(50_000)));
  assert.ok('code' in (await call(1)));
  const alone = openGate('alone', { requests_per_minute: 40 });
  const answers = [];
  for (let i = 0; i < 50; i++) answers.push(await alone.call(0, 100));
  assert.equal(wentOut(answers), 40);
});

test('without the store calls wait, and none goes out beside the limit', async () => {
  let away = true;
  const store = createMinuteStore(db.database);
  const sometimes: MinuteStore = {
    take: (request) => (away ? Promise.reject(new Error('no connection')) : store.take(request)),
  };
  const { call } = openGate('away', { requests_per_minute: 10 }, sometimes);
  assert.ok('code' in (await call()));
  const waiting = call(0, 5_000);
  away = false;
  assert.ok('enter' in (await waiting));
});

test('no minute, wherever it begins, holds more than the limit', async () => {
  // The share decides by what the store tells, so a store in memory with a clock of its own stands for the database.
  const clock = createFakeClock();
  const used: number[] = [];
  const kept: { second: number; calls: number }[] = [];
  const memory: MinuteStore = {
    take: async ({ limits, wanted, corrections }) => {
      const second = Math.floor(clock.monotonic() / 1_000);
      for (const { second: at, calls } of corrections) kept.push({ second: at, calls });
      const sum = kept.filter((row) => row.second > second - 63).reduce((total, { calls }) => total + calls, 0);
      const calls = Math.max(0, Math.min(wanted.calls, (limits.calls ?? 0) - sum));
      if (calls > 0) kept.push({ second, calls });
      return { taken: { calls, tokens: 0 }, second, waitMs: 1_000 };
    },
  };
  const gates = [0, 1].map(() => {
    const gate = new Gate({ name: 'p', workspace, clock, log: db.log, minutes: memory });
    gate.limits = { ...noLimits, requests_per_minute: 60 };
    return gate;
  });
  for (let i = 0; i < 1_200; i++) {
    for (const gate of gates) {
      const caller: Caller = { model: 'm', enter: () => used.push(clock.monotonic()), refuse: () => undefined };
      if (gate.ask(caller, 0, 900) === 'go') caller.enter();
    }
    await clock.pass(250);
  }
  const most = Math.max(...used.map((from) => used.filter((at) => at >= from && at < from + 60_000).length));
  assert.ok(most <= 60 && used.length >= 200, `${most} in a minute, ${used.length} in all`);
});
