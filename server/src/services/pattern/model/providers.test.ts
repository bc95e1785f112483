import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { createEgress } from '#platform/egress/egress.ts';
import type { Log } from '#platform/log.ts';
import { createFakeClock } from '#platform/testing/fake-clock.ts';
import { type ModelServer, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import { askEnvironment } from './ask-environment.ts';
import { readEnvironmentProviders } from './environment-providers.ts';

let platform: TestPlatform;
let server: ModelServer;
let offered: readonly string[] | undefined = ['big', 'small'];

before(async () => {
  server = await startModelServer(undefined, () => offered ?? []);
  platform = await startTestPlatform({ environment: { DAMASK_EGRESS_ALLOW: '127.0.0.1' } });
});
after(async () => {
  await platform.stop();
  await server.close();
});

const put = (name: string, body: object, key?: string) =>
  platform.call('PUT', `/v1/providers/${name}`, { base_url: server.url, ...body }, key ? { key } : {});
const rows = (sql: string) =>
  platform.floor.database.transaction({ role: 'pattern', workspace: platform.alpha.id }, (transaction) =>
    transaction.query<Record<string, unknown>>(sql),
  );

test('a provider is added with what it has, and a later change keeps what it does not name', async () => {
  const added = await put('lab', { api_key: 'sk-secret-lab', models: [{ id: 'big' }], limits: { concurrency: 4 } });
  assert.equal(added.status, 200);
  assert.deepEqual(added.body.offered, ['big', 'small']);
  assert.deepEqual(added.body.limits, { concurrency: 4, requests_per_minute: null, tokens_per_minute: null });
  const { body } = await put('lab', { limits: { requests_per_minute: 60 }, fallbacks: ['lab/small'] });
  assert.deepEqual(
    [body.limits, body.models, body.fallbacks, body.has_key],
    [{ concurrency: 4, requests_per_minute: 60, tokens_per_minute: null }, [{ id: 'big' }], ['lab/small'], true],
  );
  const { body: lifted } = await put('lab', { limits: { concurrency: null } });
  assert.equal(lifted.limits.concurrency, null);
  const { text } = await platform.call('GET', '/v1/providers');
  assert.doesNotMatch(text, /sk-secret-lab/);
});

test('a role without the permission changes and tests nothing', async () => {
  const author = await platform.keyFor('author');
  assert.equal((await put('theirs', {}, author)).body.code, 'forbidden');
  const tested = await platform.call('POST', '/v1/providers/lab/test', {}, { key: author });
  assert.deepEqual([tested.status, tested.body.need], [403, 'provider:write']);
  assert.equal((await platform.call('GET', '/v1/providers/health', undefined, { key: author })).status, 403);
});

for (const [what, body, pointer] of [
  ['a protocol that nobody speaks', { protocol: 'grpc' }, '/protocol'],
  ['a limit below one', { limits: { concurrency: 0 } }, '/limits/concurrency'],
  ['a limit that there is not', { limits: { rpm: 5 } }, '/limits/rpm'],
  ['a fallback without a provider', { fallbacks: ['gpt'] }, '/fallbacks/0'],
  ['six fallbacks', { fallbacks: Array(6).fill('a/b') }, '/fallbacks'],
  ['a negative price', { models: [{ id: 'x', input_price: -1 }] }, '/models/0/input_price'],
  ['a version of Azure with a path', { api_version: '../v1' }, '/api_version'],
  ['an address with a query', { base_url: 'https://example.org/v1?key=1' }, '/base_url'],
] as const) {
  test(`${what} is refused, and nothing is stored`, async () => {
    const { status, body: problem } = await put('bad', body);
    assert.deepEqual([status, problem.pointer], [400, pointer], problem.detail);
    assert.deepEqual(await rows("select name from pattern.provider where name = 'bad'"), []);
  });
}

test('a key does not move to another address, nor follow a redirect when the provider is asked what it has', async () => {
  const other = await startModelServer(undefined, () => ['x']);
  const moved = await put('lab', { base_url: other.url });
  assert.deepEqual([moved.status, moved.body.code], [422, 'secret_required']);
  assert.equal((await put('inside', { base_url: 'http://169.254.169.254/v1' })).body.code, 'egress_denied');
  await other.close();
});

test('a put, a test and a delete leave an audit row and an event', async () => {
  await put('trail', {});
  await platform.call('POST', '/v1/providers/trail/test', {});
  await platform.call('DELETE', '/v1/providers/trail');
  const audit = await rows("select action from pattern.audit where subject = 'provider/trail' order by action");
  assert.deepEqual(
    audit.map(({ action }) => action),
    ['deleteProvider', 'putProvider', 'testProvider'],
  );
  assert.equal((await platform.call('POST', '/v1/providers/trail/test', {})).status, 404);
});

test('a provider of the workspace whose list grew shows it after a test', async () => {
  await put('grows', {});
  offered = ['big', 'small', 'new'];
  const { body } = await platform.call('POST', '/v1/providers/grows/test', {});
  assert.equal(body.offered, 3);
  const { body: list } = await platform.call('GET', '/v1/models');
  assert.ok(list.items.some(({ name }: { name: string }) => name === 'grows/new'));
});

test("the operator's own server decides which model is the default; a silent one is asked again", async () => {
  const clock = createFakeClock();
  const warned: string[] = [];
  const egress = createEgress({ allow: [], clock: systemClock });
  const log = { warn: (message: string) => void warned.push(message) } as unknown as Log;
  const providers = readEnvironmentProviders({ openaiBaseUrl: server.url });
  const inquiry = askEnvironment({ providers, egress, clock, log });
  offered = ['text-embedding-3', 'house-model'];
  await inquiry.first(1_000);
  assert.deepEqual([providers[0]?.defaultModel, providers[0]?.models], ['house-model', []]);
  assert.equal(clock.timers, 0);
  const silent = readEnvironmentProviders({ openaiBaseUrl: 'http://127.0.0.1:9/v1' });
  const again = askEnvironment({ providers: silent, egress, clock, log });
  await again.first(1_000);
  assert.equal(silent[0]?.offered, null);
  assert.equal(silent[0]?.defaultModel, 'gpt-5-mini');
  again.begin();
  for (let wait = 0; wait < 200 && clock.timers === 0; wait++) await systemClock.sleep(5);
  assert.equal(clock.timers, 1);
  assert.equal(warned.length, 1, 'told once');
  again.stop();
  assert.equal(clock.timers, 0);
  await egress.close();
});
