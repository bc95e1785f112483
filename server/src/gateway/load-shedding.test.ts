import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '#platform/clock.ts';
import { createLoadShedding } from './load-shedding.ts';

/** A clock whose timers run when the test says so, and late when it says so. */
function start(concurrency: number, longestLag: number) {
  let now = 0;
  let due: { at: number; call: () => void } | undefined;
  const clock = {
    monotonic: () => now,
    after: (ms: number, call: () => void) => {
      due = { at: now + ms, call };
      return { cancel: () => undefined };
    },
  } as unknown as Clock;
  const load = createLoadShedding({ clock, concurrency, longestLag });
  const admits = (shed: 'never' | 'last' | undefined, active = 1) => {
    try {
      load.admit(shed === undefined ? {} : { shed }, active);
      return true;
    } catch {
      return false;
    }
  };
  return {
    admits,
    /** The next look, so many milliseconds late. */
    look(late: number) {
      const timer = due;
      due = undefined;
      assert.ok(timer);
      now = timer.at + late;
      timer.call();
    },
    get waiting() {
      return due !== undefined;
    },
  };
}

test('beyond what is answered at once, work is refused, then what ends work, and health never', () => {
  const { admits } = start(2, 0);
  assert.deepEqual([admits(undefined, 2), admits(undefined, 3)], [true, false]);
  assert.deepEqual([admits('last', 4), admits('last', 5)], [true, false]);
  assert.equal(admits('never', 1_000), true);
});

test('an event loop that stays behind refuses work until it has caught up; one pause refuses nobody', () => {
  const load = start(100, 1_000);
  assert.equal(load.admits(undefined), true);
  load.look(2_000);
  assert.equal(load.admits(undefined), true);
  load.look(2_000);
  assert.deepEqual([load.admits(undefined), load.admits('last'), load.admits('never')], [false, true, true]);
  for (let looks = 0; looks < 12; looks++) load.look(5_000);
  assert.deepEqual([load.admits('last'), load.admits('never')], [false, true]);
  for (let looks = 0; looks < 40 && load.waiting; looks++) load.look(0);
  assert.equal(load.admits(undefined), true);
});

test('who is idle looks at nothing', () => {
  const load = start(100, 1_000);
  assert.equal(load.waiting, false);
  load.admits(undefined);
  load.look(0);
  load.look(0);
  assert.equal(load.waiting, false);
});
