import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let server: ModelServer;
const standard: Script = (_, answer) => answer.say('Fine.', { usage: { prompt_tokens: 10, completion_tokens: 5 } });
let script: Script = standard;

before(async () => {
  server = await startModelServer((call, answer) => script(call, answer));
  platform = await startTestPlatform({ environment: { DAMASK_EGRESS_ALLOW: '127.0.0.1' } });
  const models = [{ id: 'small', input_price: 1_000_000, output_price: 1_000_000 }];
  await platform.call('PUT', '/v1/providers/lab', { base_url: server.url, models });
  const { status } = await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet.' });
  assert.equal(status, 201);
});
beforeEach(() => {
  script = standard;
});
after(async () => {
  await platform.stop();
  await server.close();
});

const put = (body: object) => platform.call('PUT', '/v1/budgets/all', { covers: 'workspace', period: 'day', ...body });
const start = async (more: object = {}) => {
  const request = { pattern: 'greet', input: 'hi', model: 'lab/small', parameters: { max_tokens: 100 }, mode: 'async' };
  const { status, body, text } = await platform.call('POST', '/v1/runs', { ...request, ...more });
  assert.equal(status, 202, text);
  return body.id as string;
};

// biome-ignore lint/suspicious/noExplicitAny: tests read answers as they come.
async function until(what: string, id: string, is: (run: any) => boolean) {
  for (let tries = 0; tries < 400; tries++) {
    const { body } = await platform.call('GET', `/v1/runs/${id}`);
    if (is(body)) return body;
    await systemClock.sleep(25);
  }
  throw new Error(`The run is not ${what}`);
}
const ended = (id: string) => until('over', id, ({ finished_at }) => finished_at !== null);

test('a queued run is charged what it took', async () => {
  await put({ limit_micros: 1_000_000 });
  const run = await ended(await start());
  assert.deepEqual([run.status, run.cost_micros], ['succeeded', 15], JSON.stringify(run));
  const { body } = await platform.call('GET', '/v1/budgets/all');
  assert.deepEqual([body.spent_micros, body.reserved_micros], [15, 0]);
});

test('queued runs that meet a used up budget wait for its reset, call nobody, and go on or end by their deadline', async () => {
  await put({ limit_micros: 16 });
  const called = server.calls.length;
  const waiting = await start();
  const late = await start({ deadline: new Date(Date.now() + 1_500).toISOString() });
  const run = await until('waiting', waiting, ({ queue }) => queue?.why !== null && queue?.why !== undefined);
  assert.equal(run.status, 'queued');
  assert.match(run.queue.why, /budget all does not pay .* begins anew at/);
  const wait = Date.parse(run.queue.ready_at) - Date.now();
  assert.ok(wait > 60_000 || new Date().getUTCHours() === 23, `${wait}`);
  const over = await ended(late);
  assert.deepEqual([over.status, over.error.code, over.cost_micros], ['failed', 'timeout', 0], JSON.stringify(over));
  assert.equal(server.calls.length, called);
  await platform.call('POST', `/v1/runs/${waiting}/cancel`);
  assert.equal((await ended(waiting)).status, 'cancelled');
});

test('a model without a price ends a queued run under a limit of money, with what to do', async () => {
  await put({ limit_micros: 1_000_000 });
  const run = await ended(await start({ model: 'lab/unknown' }));
  assert.deepEqual([run.status, run.error.code, run.attempts], ['failed', 'price_unknown', []]);
});

test('fifty queued runs against a budget for ten: ten calls go out, and those that wait hold nothing', async () => {
  await platform.call('DELETE', '/v1/budgets/all');
  let reserved = 0;
  script = async (call, answer) => {
    const { body } = await platform.call('GET', '/v1/budgets/all');
    reserved = Math.max(reserved, body.reserved_tokens);
    await standard(call, answer);
  };
  await put({ limit_tokens: 1_000_000 });
  await ended(await start());
  assert.ok(reserved > 100);
  script = (_, answer) => answer.say('Fine.', { usage: { prompt_tokens: reserved - 100, completion_tokens: 100 } });
  await platform.call('DELETE', '/v1/budgets/all');
  await put({ limit_tokens: 10 * reserved });
  const called = server.calls.length;
  const ids = await Promise.all(Array.from({ length: 50 }, () => start()));
  for (let tries = 0; tries < 200; tries++) {
    const runs = await Promise.all(ids.map(async (id) => (await platform.call('GET', `/v1/runs/${id}`)).body));
    if (runs.every(({ status, queue }) => status === 'succeeded' || queue?.why)) break;
    await systemClock.sleep(50);
  }
  assert.equal(server.calls.length - called, 10);
  const { body } = await platform.call('GET', '/v1/budgets/all');
  assert.deepEqual([body.spent_tokens, body.reserved_tokens, body.left_tokens], [10 * reserved, 0, 0]);
  for (const id of ids) await platform.call('POST', `/v1/runs/${id}/cancel`);
});
