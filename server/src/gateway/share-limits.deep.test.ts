import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { type RedisServer, startRedis, withoutRedis } from '#platform/testing/redis-server.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

const skip = withoutRedis;
let redis: RedisServer;
let edges: [TestPlatform, TestPlatform];
before(async () => {
  if (skip) return;
  redis = await startRedis();
  const environment = { DAMASK_REDIS_URL: redis.url };
  const first = await startTestPlatform({ environment });
  edges = [first, await startTestPlatform({ environment, beside: first })];
});
after(async () => {
  if (skip) return;
  await edges[1].stop();
  await edges[0].stop();
  await redis.stop();
});

async function keyOf(perMinute: number): Promise<string> {
  const made = await edges[0].call('POST', '/v1/keys', {
    name: `${perMinute} a minute`,
    role: 'viewer',
    requests_per_minute: perMinute,
  });
  assert.equal(made.status, 201, made.text);
  await Promise.all(edges.map((edge) => edge.gateway.refresh()));
  return made.body.key;
}

/** Asks both edges in turns, `every` milliseconds, and counts what passes. */
async function countPassed(key: string, requests: number, every: number): Promise<number> {
  let passed = 0;
  for (let count = 0; count < requests; count++) {
    const { status } = await (edges[count % 2] as TestPlatform).call('GET', '/v1/me', undefined, { key });
    assert.ok(status === 200 || status === 429, `status ${status}`);
    if (status === 200) passed += 1;
    await systemClock.sleep(every);
  }
  return passed;
}

const toBeAnswered = () => systemClock.sleep(1_500);

test('two edges that count together allow one limit', { skip }, async () => {
  await toBeAnswered();
  const passed = await countPassed(await keyOf(60), 200, 25);
  // What comes back in the 5 to 10 s of the test, and what both allow within one look.
  assert.ok(passed >= 60 && passed < 60 + 16, `${passed} passed`);
});

test('with Redis gone two edges allow less than one limit, and no request waits for it', { skip }, async () => {
  const key = await keyOf(60);
  await redis.kill();
  await toBeAnswered();
  const began = performance.now();
  const passed = await countPassed(key, 150, 10);
  const seconds = (performance.now() - began) / 1_000;
  assert.ok(passed >= 30 && passed <= 60 + seconds + 2, `${passed} passed in ${seconds} s`);
  await redis.start();
  await toBeAnswered();
  // The minute that was used up while it was gone is not given again.
  assert.ok((await countPassed(key, 20, 5)) < 10);
});

test('a Redis that answers nothing holds up no request', { skip }, async () => {
  const key = await keyOf(1_000);
  await countPassed(key, 4, 100);
  redis.freeze();
  for (let count = 0; count < 20; count++) {
    const asked = performance.now();
    assert.equal((await edges[0].call('GET', '/v1/me', undefined, { key })).status, 200);
    assert.ok(performance.now() - asked < 400, 'a request waited for Redis');
    await systemClock.sleep(100);
  }
  redis.thaw();
  await toBeAnswered();
  assert.equal((await edges[0].call('GET', '/v1/me', undefined, { key })).status, 200);
});

test('a Redis that was wiped gives nothing back', { skip }, async () => {
  const key = await keyOf(10);
  assert.equal(await countPassed(key, 10, 20), 10);
  // Both edges have looked once more.
  await systemClock.sleep(500);
  await redis.kill();
  await redis.start();
  await toBeAnswered();
  assert.ok((await countPassed(key, 20, 5)) < 5);
});
