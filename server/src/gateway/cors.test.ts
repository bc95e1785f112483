import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

const page = 'https://app.example.com';
let open: TestPlatform;
let closed: TestPlatform;
before(async () => {
  [open, closed] = await Promise.all([
    startTestPlatform({ environment: { DAMASK_CORS_ORIGINS: page } }),
    startTestPlatform(),
  ]);
});
after(() => Promise.all([open.stop(), closed.stop()]));

const ask = (platform: TestPlatform, origin: string, method = 'GET', key: string | null = platform.alpha.ownerKey) =>
  fetch(new URL('/v1/patterns', platform.url), {
    method,
    headers: {
      origin,
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...(method === 'OPTIONS' ? { 'access-control-request-method': 'POST' } : {}),
    },
  });

test('a page of a named origin may call, and reads what it needs of the answer', async () => {
  const before = await ask(open, page, 'OPTIONS', null);
  assert.deepEqual([before.status, await before.text()], [204, '']);
  assert.equal(before.headers.get('access-control-allow-origin'), page);
  assert.match(before.headers.get('access-control-allow-headers') ?? '', /authorization.*idempotency-key/);
  const answer = await ask(open, page);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('access-control-allow-origin'), page);
  assert.match(answer.headers.get('access-control-expose-headers') ?? '', /etag/);
  assert.equal(answer.headers.get('vary'), 'origin');
  // The refusal, too, must be readable by the page.
  const refused = await ask(open, page, 'GET', 'dmk_wrong');
  assert.deepEqual([refused.status, refused.headers.get('access-control-allow-origin')], [401, page]);
  assert.equal(refused.headers.get('access-control-allow-credentials'), null);
});

test('other origins get no leave, and nobody does where no origin is named', async () => {
  for (const origin of [
    'https://evil.example.com',
    `${page}.evil.com`,
    'null',
    `${page}:444`,
    'http://app.example.com',
  ]) {
    for (const method of ['GET', 'OPTIONS']) {
      const answer = await ask(open, origin, method);
      assert.equal(answer.headers.get('access-control-allow-origin'), null, origin);
      assert.equal(answer.status, method === 'GET' ? 200 : 405);
    }
  }
  const answer = await ask(closed, page, 'OPTIONS');
  assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin')], [405, null]);
});
