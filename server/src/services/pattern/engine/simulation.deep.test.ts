import assert from 'node:assert/strict';
import { test } from 'node:test';
import { report } from './chains-for-tests.ts';
import { type Crash, runWorld, type Scenario } from './crash-world-for-tests.ts';
import { brokenInvariants } from './invariants-for-tests.ts';
import { simulate } from './simulate-for-tests.ts';

test('ten thousand clusters in which everything goes wrong lose and double nothing', async () => {
  for (let seed = 1; seed <= 10_000; seed++) assert.deepEqual(await simulate(seed), [], `seed ${seed}`);
});

test('a chain of lists, parts and a chain within is killed at all pairs of awaits', async () => {
  const scenario: Scenario = {
    name: 'report',
    work: { kind: 'chain', plan: report },
    onUncertain: 'retry',
    fails: { broken: 9 },
  };
  const crashAt = (at: number, side: Crash['side']): Crash => ({ at, side, how: 'kill' });
  const { points } = await runWorld(scenario, []);
  for (let first = 0; first < points; first++) {
    for (const side of ['before', 'after'] as const) {
      const crashes = [crashAt(first, side)];
      const after = await runWorld(scenario, crashes);
      for (let second = first + 1; second < after.points; second++) {
        const both = [...crashes, crashAt(second, 'after')];
        assert.deepEqual(brokenInvariants(await runWorld(scenario, both)), [], `(report, ${side} ${first}, ${second})`);
      }
    }
  }
});
