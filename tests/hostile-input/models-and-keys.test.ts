import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Expected, faultOfRefusal, type HostilePlatform, startHostilePlatform } from './hostile-platform.ts';

let hostile: HostilePlatform;
before(async () => {
  hostile = await startHostilePlatform();
});
after(() => hostile.stop());

const invalid: Expected = { status: 400, code: 'invalid_request', pointer: '/model' };
const unknown: Expected = { status: 404, code: 'model_not_found', pointer: '/model' };

test('a model that is named wrongly is refused, and one that nobody offers is not found', async () => {
  const models: readonly (readonly [model: string, expected: Expected])[] = [
    ['', invalid],
    ['/', invalid],
    ['openai', invalid],
    ['openai/', invalid],
    ['/gpt', invalid],
    ['//x', invalid],
    [' openai/x', invalid],
    ['openai/x ', invalid],
    ['openai/../x', invalid],
    ['../../x', invalid],
    ['OPENAI/x', invalid],
    ['openai/é', invalid],
    ['оpenai/x', invalid],
    ['openai/x\r\nHost: evil', invalid],
    ['openai/{{model}}', invalid],
    ['openai/x?y=1', invalid],
    ['openai/x#y', invalid],
    ['openai/-x', invalid],
    [`openai/${'x'.repeat(10_000)}`, invalid],
    [`${'x'.repeat(101)}/x`, invalid],
    ['x/y', unknown],
    ['constructor/x', unknown],
    ['__proto__/x', invalid],
    ['local/nothing', unknown],
    ['anthropic/claude', unknown],
    ['127.0.0.1/x', invalid],
    ['x/http://127.0.0.1:1/', unknown],
  ];
  await hostile.leavesNothing(async () => {
    for (const [model, expected] of models) {
      for (const path of ['/v1/runs', '/v1/render']) {
        const reply = await hostile.send('POST', path, { body: { pattern: 'plain', input: 'x', model } });
        assert.equal(faultOfRefusal(reply, expected), undefined, `${path} with ${JSON.stringify(model.slice(0, 60))}`);
      }
    }
  });
});

test('addresses of providers that lead inside, carry a password or are none are refused', async () => {
  const denied = { status: 422, code: 'egress_denied' };
  const wrong = { status: 400, code: 'invalid_request', pointer: '/base_url' };
  const addresses: readonly (readonly [address: string, expected: Expected])[] = [
    ...[
      'http://127.0.0.1:1/v1',
      'http://127.1/v1',
      'http://0x7f000001/',
      'http://2130706433/',
      'http://0177.0.0.1/',
    ].map((address) => [address, denied] as const),
    ...[
      'http://localhost:81/',
      'http://localhost./v1',
      'http://[::1]/v1',
      'http://[::ffff:127.0.0.1]/',
      'http://0.0.0.0/',
    ].map((address) => [address, denied] as const),
    ...['http://169.254.169.254/latest', 'http://10.0.0.1/v1', 'http://[fd00::1]/', 'http://100.64.0.1/'].map(
      (address) => [address, denied] as const,
    ),
    ...['https://user:password@example.com/v1', 'https://example.com:22/v1', 'https://example.com:5432/'].map(
      (address) => [address, denied] as const,
    ),
    ...['file:///etc/passwd', 'gopher://example.com/', 'data:text/plain,x', 'unix:/var/run/x.sock'].map(
      (address) => [address, denied] as const,
    ),
    ...['not an address', 'https://', 'https://[::1', 'https://example.com/v1?key=x', 'https://example.com/v1#x'].map(
      (address) => [address, wrong] as const,
    ),
  ];
  await hostile.leavesNothing(async () => {
    for (const [base_url, expected] of addresses) {
      const reply = await hostile.send('PUT', '/v1/providers/inside', {
        body: { base_url, api_key: 'sk-secret-value' },
      });
      assert.equal(faultOfRefusal(reply, expected), undefined, `${base_url}: ${reply.text}`);
      assert.ok(!reply.text.includes('sk-secret-value') && !reply.text.includes('user:password'), base_url);
    }
  });
});

test("a provider's key that could not stand in a header is refused before it is stored", async () => {
  await hostile.leavesNothing(async () => {
    for (const api_key of ['sk\r\nX-Evil: 1', 'sk\nx', 'sk\u0001', 'sk-é', 'sk-\u{1f600}', ' ', 'sk x']) {
      const reply = await hostile.send('PUT', '/v1/providers/split', {
        body: { base_url: hostile.model.url, api_key },
      });
      const fault = faultOfRefusal(reply, { status: 400, code: 'invalid_request', pointer: '/api_key' });
      assert.equal(fault, undefined, JSON.stringify(api_key));
      assert.ok(!reply.text.includes('Evil'));
    }
  });
});

test('a provider keeps its key when its address moves only if the key is entered again', async () => {
  const { url } = hostile.model;
  const put = (body: object) => hostile.send('PUT', '/v1/providers/moving', { body });
  assert.equal((await put({ base_url: url, api_key: 'sk-moving' })).status, 200);
  await hostile.leavesNothing(async () => {
    const moved = await put({ base_url: `${url}/other` });
    const fault = faultOfRefusal(moved, { status: 422, code: 'secret_required', pointer: '/api_key' });
    assert.equal(fault, undefined);
  });
});

test('cursors that were not made for this list, caller and filter are refused', async () => {
  const next = async (path: string) => (await hostile.send('GET', path)).body.next as string;
  await hostile.send('POST', '/v1/runs', { body: { pattern: 'plain', input: 'x', model: 'openai/test' } });
  const [patterns, keys, runs] = await Promise.all(
    ['/v1/patterns?limit=1', '/v1/keys?limit=1', '/v1/runs?limit=1'].map(next),
  );
  assert.ok(patterns && keys && runs);
  const flipped = (cursor: string, at: number) =>
    `${cursor.slice(0, at)}${cursor[at] === 'A' ? 'B' : 'A'}${cursor.slice(at + 1)}`;
  const bad: readonly (readonly [path: string, cursor: string])[] = [
    ...[0, 5, 21, 22, 30, patterns.length - 2].map((at) => ['/v1/patterns', flipped(patterns, at)] as const),
    ...['', ' ', 'x', 'null', '0', '..', '%', '=', '🙂', 'A'.repeat(512)].map(
      (cursor) => ['/v1/patterns', cursor] as const,
    ),
    ['/v1/patterns', patterns.slice(0, -1)],
    ['/v1/patterns', `${patterns}A`],
    ['/v1/patterns', `${patterns}=`],
    ['/v1/patterns', patterns.toUpperCase()],
    ['/v1/patterns', keys],
    ['/v1/runs', patterns],
    ['/v1/keys', runs],
    ['/v1/strategies', patterns],
    ['/v1/patterns/plain/versions', patterns],
    ['/v1/patterns?deleted=true', patterns],
    ['/v1/patterns?search=a', patterns],
    ['/v1/runs?pattern=plain', runs],
    ['/v1/runs?status=failed', runs],
    ['/v1/runs?since=2020-01-01T00:00:00Z', runs],
  ];
  await hostile.leavesNothing(async () => {
    for (const [path, cursor] of bad) {
      const address = `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`;
      const reply = await hostile.send('GET', address);
      const fault = faultOfRefusal(reply, { status: 400, code: 'invalid_cursor', pointer: '/cursor' });
      assert.equal(fault, undefined, address);
    }
    const long = await hostile.send('GET', `/v1/patterns?cursor=${'A'.repeat(513)}`);
    assert.equal(faultOfRefusal(long, { status: 400, code: 'invalid_request', pointer: '/cursor' }), undefined);
  });
});

test('a page of another size goes on with the same cursor', async () => {
  const first = await hostile.send('GET', '/v1/patterns?limit=1');
  const rest = await hostile.send('GET', `/v1/patterns?limit=200&cursor=${first.body.next}`);
  assert.equal(rest.status, 200);
  assert.ok(rest.body.items.length > 1);
});

test('a key that is revoked is refused within a second, also on a connection that was open', async () => {
  const made = await hostile.send('POST', '/v1/keys', { body: { name: 'short-lived', role: 'viewer' } });
  const { id, key } = made.body;
  const ask = () => hostile.send('GET', '/v1/me', { key });
  while ((await ask()).status !== 200) await sleep(20);
  assert.equal((await hostile.send('DELETE', `/v1/keys/${id}`)).status, 200);
  const revoked = performance.now();
  let refused = await ask();
  while (refused.status === 200 && performance.now() - revoked < 5_000) {
    await sleep(20);
    refused = await ask();
  }
  assert.ok(performance.now() - revoked < 1_000, 'it took too long');
  const never = await hostile.send('GET', '/v1/me', { key: `${key.slice(0, -4)}0000` });
  const plain = ({ text, headers, status }: typeof refused) => [
    status,
    headers,
    text.replace(/"request_id":"[^"]*"/, ''),
  ];
  assert.deepEqual(plain(refused), plain(never), 'it differs from the answer to a key that never was');
});
