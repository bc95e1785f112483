import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fuzzAll } from './fuzz-all.ts';
import { type Fuzzing, startFuzzing } from './fuzz-routes.ts';

let fuzzing: Fuzzing;
before(async () => {
  fuzzing = await startFuzzing();
});
after(() => fuzzing.stop());

test('no route fails, hangs or tells too much, whatever fits or nearly fits its own description', async (t) => {
  const wrong = await fuzzAll(fuzzing, { seed: 20_261_123, count: 2 });
  assert.deepEqual(wrong, []);
  t.diagnostic(`${fuzzing.routes.length} routes`);
});
