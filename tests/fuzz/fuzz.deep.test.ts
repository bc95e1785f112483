import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { fuzzAll } from './fuzz-all.ts';
import { startFuzzing } from './fuzz-routes.ts';

const lasting = 300_000;

test('for five minutes and from a seed of its own, no route fails, hangs or tells too much', async (t) => {
  // To repeat a round, put its seed and count into fuzz.test.ts.
  let seed = randomInt(2 ** 31 - 1_000);
  t.diagnostic(`the seed is ${seed}`);
  const end = performance.now() + lasting;
  for (let rounds = 1; performance.now() < end; rounds++, seed++) {
    // A new platform for each round: what earlier requests have deleted would hide what later ones do.
    const fuzzing = await startFuzzing();
    const wrong = await fuzzAll(fuzzing, { seed, count: 60 }).finally(() => fuzzing.stop());
    assert.deepEqual(wrong, [], `with the seed ${seed}`);
    t.diagnostic(`round ${rounds}, ${fuzzing.routes.length} routes`);
  }
});
