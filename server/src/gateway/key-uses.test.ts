import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everywhere } from '#platform/call.ts';
import { systemClock } from '#platform/clock.ts';
import { createLog } from '#platform/log.ts';
import { createRedact } from '#platform/redact.ts';
import { createKeyUses } from './key-uses.ts';
import type { Principal } from './principal.ts';

const principal = (kind: 'key' | 'member', id: string): Principal => ({
  workspace: '018f0000-0000-7000-8000-000000000001',
  actor: { kind, id, name: id, role: 'runner' },
  permissions: new Set(),
  reach: everywhere,
});
const log = createLog({ level: 'error', clock: systemClock, redact: createRedact([]), write: () => undefined });

test('many requests of a key are told once, to the minute, and a failure stops nothing', async () => {
  const timers: (() => void)[] = [];
  const now = Date.parse('2031-01-01T12:34:56.789Z');
  const clock = {
    ...systemClock,
    now: () => now,
    after(_: number, call: () => void) {
      timers.push(call);
      return { cancel: () => undefined };
    },
  };
  const told: { at: string; uses: { key: string }[] }[] = [];
  let fails = false;
  const identity = {
    noteKeyUses: async (_: unknown, input: { at: string; uses: { workspace: string; key: string }[] }) => {
      if (fails) throw new Error('away');
      told.push(input);
      return {};
    },
  };
  const uses = createKeyUses({ identity, clock, log });
  const [one, two] = [principal('key', 'one'), principal('key', 'two')];
  for (const who of [one, one, two, one, principal('member', 'ada')]) uses.note(who);
  assert.equal(timers.length, 1);
  timers.pop()?.();
  await new Promise(setImmediate);
  assert.deepEqual(
    told.map(({ at, uses: list }) => [at, list.map(({ key }) => key)]),
    [['2031-01-01T12:34:00.000Z', ['one', 'two']]],
  );
  fails = true;
  uses.note(one);
  await uses.stop();
  fails = false;
  uses.note(two);
  await uses.stop();
  assert.equal(told.length, 2);
});
