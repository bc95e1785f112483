import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoginSessionTableRow } from '@damask/contracts/login.ts';
import type { Log } from '../platform/log.ts';
import { createFakeClock } from '../platform/testing/fake-clock.ts';
import { createLoginSessionTable } from './login-session-table.ts';

const minute = 60_000;
const hour = 60 * minute;

/** A table over rows as identity would keep them. */
function setUp(more: Partial<LoginSessionTableRow> = {}) {
  const clock = createFakeClock();
  const at = (ms: number) => new Date(clock.now() + ms).toISOString();
  let row: LoginSessionTableRow = {
    id: clock.uuid(),
    account: clock.uuid(),
    hash: 'h',
    kind: 'browser',
    provider: null,
    seen_at: at(0),
    expires_at: at(14 * 24 * hour),
    idle_ms: 12 * hour,
    ...more,
  };
  const told: string[][] = [];
  let broken = false;
  const table = createLoginSessionTable({
    clock,
    log: { warn: () => undefined } as unknown as Log,
    identity: {
      readLoginSessionTable: async () => ({ items: [row] }),
      noteLoginSessions: async (_, { seen }) => {
        if (broken) throw new Error('away');
        told.push(seen.map(({ at }) => at));
        row = { ...row, seen_at: seen[0]?.at ?? row.seen_at };
        return {};
      },
    },
  });
  const setBroken = (value: boolean) => {
    broken = value;
  };
  return { clock, table, told, setBroken };
}

test('A-8: a session that nobody uses ends, and one that is used goes on until its last day', async () => {
  const { clock, table } = setUp();
  await table.load();
  await clock.pass(12 * hour - 1);
  assert.ok(table.find('h'));
  await clock.pass(12 * hour - 1);
  assert.ok(table.find('h'));
  await clock.pass(12 * hour);
  assert.equal(table.find('h'), undefined);
  const used = setUp();
  await used.table.load();
  for (let passed = 0; passed < 14 * 24; passed += 6) {
    assert.ok(used.table.find('h'), `${passed} h`);
    await used.clock.pass(6 * hour);
    await used.table.load();
  }
  assert.equal(used.table.find('h'), undefined);
  assert.equal(used.table.find('other'), undefined);
});

test('uses are told in groups, seldom, and never lost by a load in between', async () => {
  const { clock, table, told, setBroken } = setUp();
  await table.load();
  for (let i = 0; i < 100; i++) table.find('h');
  assert.equal(clock.timers, 0, 'the stored time is new enough');
  await clock.pass(6 * minute);
  for (let i = 0; i < 100; i++) table.find('h');
  await table.load();
  await clock.pass(minute);
  assert.deepEqual(
    told.map((seen) => seen.length),
    [1],
  );
  setBroken(true);
  await clock.pass(hour);
  table.find('h');
  await clock.pass(minute);
  setBroken(false);
  await table.load();
  // What could not be told still counts here.
  await clock.pass(11 * hour + 58 * minute);
  assert.ok(table.find('h'));
  await clock.pass(minute);
  assert.equal(told.length, 2);
  table.stop();
  assert.equal(clock.timers, 0);
});
