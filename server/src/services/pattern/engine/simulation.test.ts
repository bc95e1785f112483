import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from './simulate-for-tests.ts';

test('whatever goes wrong in a cluster, its runs end once and no call goes unrecorded', async () => {
  for (let seed = 1; seed <= 150; seed++) assert.deepEqual(await simulate(seed), [], `seed ${seed}`);
});

test('the same seed is the same simulation, and a planted bug does not survive many of them', async () => {
  for (const fault of ['forgetsCalls', 'forgetsSteps'] as const) {
    let seed = 0;
    let broken: string[] = [];
    while (broken.length === 0 && seed < 50) broken = await simulate(++seed, { [fault]: true });
    assert.notDeepEqual(broken, [], `${fault} was not found`);
    assert.deepEqual(await simulate(seed, { [fault]: true }), broken);
  }
});
