import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exchange } from '../../../tests/hostile-input/raw-connection.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let platform: TestPlatform;
before(async () => {
  platform = await startTestPlatform({
    environment: {
      DAMASK_TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8',
      DAMASK_ADDRESS_PER_MINUTE: '20',
      DAMASK_WORKSPACE_PER_MINUTE: '2000',
      DAMASK_WORKSPACE_REQUESTS: '50',
      DAMASK_CONCURRENCY: '1',
    },
  });
});
after(() => platform.stop());

const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });

test('an address that asks too often is refused before it is known who asks; others and health go on', async () => {
  const statuses: number[] = [];
  // On a busy machine some come back meanwhile.
  while (statuses.length < 100 && !statuses.includes(429)) {
    const { status } = await platform.call('GET', '/v1/me', undefined, {
      key: 'dmk_wrong',
      ...from('1.2.3.4, 203.0.113.9, 10.1.1.1'),
    });
    statuses.push(status);
  }
  assert.deepEqual([...new Set(statuses)], [401, 429]);
  assert.ok(statuses.length > 20);
  const refused = await platform.call('GET', '/v1/me', undefined, from('203.0.113.9'));
  assert.deepEqual([refused.status, refused.body.code], [429, 'rate_limited']);
  assert.equal(refused.headers.get('ratelimit-policy'), '"address";q=20;w=60');
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  assert.equal((await platform.call('GET', '/v1/nothing', undefined, from('203.0.113.9'))).status, 429);
  assert.equal((await platform.call('GET', '/v1/me', undefined, from('203.0.113.10'))).status, 200);
  assert.equal((await platform.call('GET', '/v1/me')).status, 200);
  for (const path of ['/livez', '/readyz']) {
    assert.equal((await platform.call('GET', path, undefined, { key: null, ...from('203.0.113.9') })).status, 200);
  }
});

test("a key's own limit is told with each answer, and the key beside it is not slowed", async () => {
  const made = await platform.call('POST', '/v1/keys', { name: 'two', role: 'viewer', requests_per_minute: 2 });
  const { key } = made.body;
  const ask = () => platform.call('GET', '/v1/patterns', undefined, { key });
  const [first, , third] = [await ask(), await ask(), await ask()];
  assert.equal(first.headers.get('ratelimit'), '"key";r=1;t=30');
  assert.equal(third.status, 429);
  assert.match(third.body.detail, /this key are limited to 2 a minute/);
  const other = await platform.call('GET', '/v1/patterns');
  assert.match(other.headers.get('ratelimit') ?? '', /^"workspace";r=19\d\d;t=\d+$/);
});

test('every answer of every route forbids a browser to run, frame or guess anything', async () => {
  const { all } = platform.gateway.routes;
  assert.ok(all.length > 60);
  for (const { operation } of all) {
    const path = operation.path.replace(/\{\w+\}/g, 'x');
    const answer = await fetch(new URL(path, platform.url), { method: operation.method, redirect: 'manual' });
    await answer.body?.cancel();
    const where = `${operation.method} ${path}`;
    const policy = answer.headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none';/, where);
    assert.match(policy, /base-uri 'none'/, where);
    assert.match(policy, /frame-ancestors 'none'/, where);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/, where);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', where);
    assert.equal(answer.headers.get('referrer-policy'), 'no-referrer', where);
    assert.equal(answer.headers.get('cross-origin-resource-policy'), 'same-origin', where);
    assert.match(answer.headers.get('cache-control') ?? '', /no-store|no-cache/, where);
    if (!answer.headers.get('content-type')?.startsWith('text/html')) continue;
    assert.equal(answer.headers.get('x-frame-options'), 'DENY', where);
    assert.equal(answer.headers.get('cross-origin-opener-policy'), 'same-origin', where);
  }
});

test('when all is taken, work is refused at once, cancelling goes on and health is never refused', async () => {
  // Bodies that do not come hold their places.
  const { hostname, port } = new URL(platform.url);
  const head = (path: string) =>
    `POST ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${platform.alpha.ownerKey}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n`;
  const held = exchange(platform.url, head('/v1/keys'), { within: 1_500 });
  while (platform.gateway.dispatch.active === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const refused = await exchange(platform.url, head('/v1/keys'), { count: 1 });
  assert.deepEqual([refused.replies[0]?.status, refused.replies[0]?.body.code], [503, 'overloaded']);
  assert.equal(refused.replies[0]?.headers['retry-after'], '1');
  assert.ok(refused.milliseconds < 1_000, 'it was refused before its body came');
  const cancel = await platform.call('POST', `/v1/runs/${platform.alpha.id}/cancel`);
  assert.equal(cancel.status, 404);
  assert.equal((await platform.call('GET', '/livez', undefined, { key: null })).status, 200);
  await held;
});
