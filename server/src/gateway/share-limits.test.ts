import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '#platform/clock.ts';
import type { SharedBuckets } from '#platform/redis/shared-buckets.ts';
import { createSharedLimits } from './share-limits.ts';
import { createTokenBuckets } from './token-buckets.ts';

/** Time that stands still, and the one timer that waits in it. */
function standStill() {
  let next: (() => void) | undefined;
  const clock = {
    after: (_: number, call: () => void) => {
      next = call;
      return { cancel: () => undefined };
    },
  } as unknown as Clock;
  const look = async () => {
    const call = next;
    next = undefined;
    call?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, look, waits: () => next !== undefined };
}

function start(answer: SharedBuckets['take'], processes = 4) {
  const { clock, look, waits } = standStill();
  const shared: SharedBuckets = { take: (taken) => answer(taken), close: () => undefined };
  const limits = createSharedLimits({ shared, clock, countProcesses: async () => processes });
  const buckets = createTokenBuckets({ sharers: limits.sharers });
  const spend = (id: string, count: number) => {
    const bucket = buckets.at(id, 100, 0);
    bucket.tokens -= count;
    bucket.untold += count;
    limits.taken(bucket);
    return bucket;
  };
  return { limits, buckets, look, waits, spend };
}

test('news from other edges lower what is left here and never raise it', async () => {
  let left = 40;
  const told: unknown[] = [];
  const { spend, look } = start(async (taken) => {
    told.push(...taken);
    return { left: taken.map(() => left), processes: 2 };
  });
  await look();
  const bucket = spend('k:a', 10);
  assert.equal(bucket.tokens, 90);
  await look();
  assert.deepEqual(told, [{ id: 'k:a', perMinute: 100, count: 10 }]);
  assert.equal(bucket.tokens, 40);
  // As after a restart of a Redis that keeps nothing.
  left = 100;
  spend('k:a', 1);
  await look();
  assert.equal(bucket.tokens, 39);
});

test('while nobody answers each edge allows its share, and what was taken meanwhile is told later', async () => {
  let down = true;
  const told: number[] = [];
  const { limits, buckets, spend, look, waits } = start(async (taken) => {
    if (down) throw new Error('down');
    told.push(...taken.map(({ count }) => count));
    return { left: taken.map(() => 80), processes: 2 };
  });
  await look();
  assert.equal(limits.sharers(), 4);
  assert.equal(buckets.at('k:a', 100, 0).tokens, 25);
  spend('k:a', 5);
  await look();
  // A minute brings a share of a minute's worth only.
  assert.equal(buckets.at('k:a', 100, 12_000).tokens, 25);
  assert.equal(waits(), true);
  down = false;
  await look();
  assert.deepEqual([told, limits.sharers()], [[5], 1]);
  assert.equal(waits(), false);
});

test('what is taken while the answer is under way is not given back by it', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { spend, look } = start(async (taken) => {
    if (taken.length > 0) await promise;
    return { left: taken.map(() => 90), processes: 2 };
  });
  await look();
  const bucket = spend('k:a', 10);
  await look();
  spend('k:a', 5);
  resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(bucket.tokens, 85);
});
