import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendMixedTraffic } from './mixed-traffic.ts';
import { startTwoWorkspaces } from './two-workspaces.ts';

test('Z-11: 1,000 requests of two workspaces at once, three in ten given up: nobody sees anything of the other', async (t) => {
  const world = await startTwoWorkspaces();
  t.after(() => world.stop());
  const seed = Date.now() % 1_000_000;
  const { leaks, wrong, statuses, answered, cancelled } = await sendMixedTraffic(world, 1_000, seed);
  t.diagnostic(`seed ${seed}: ${answered} answered ${JSON.stringify(statuses)}, ${cancelled} given up`);
  assert.deepEqual({ leaks, wrong }, { leaks: [], wrong: [] }, `seed ${seed}`);
  assert.ok(answered > 500 && cancelled > 25, 'too few were answered or given up to prove anything');
});
