import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { Run } from '@damask/contracts/run.ts';
import type { Clock } from '#platform/clock.ts';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import { createAnswerCache } from './answer-cache.ts';

let platform: TestPlatform;
let model: ModelServer;
let script: Script | undefined;

const settings = 'cache:\n  ttl_seconds: 600\n';
const cachedPattern = (name: string, system: string, more = '') => ({
  name,
  files: [
    { path: 'system.md', content: system },
    { path: 'pattern.yaml', content: settings + more },
  ],
});

before(async () => {
  model = await startModelServer((call, answer) =>
    (script ?? ((_, given) => given.say(`Answer ${call.number}.`)))(call, answer),
  );
  platform = await startTestPlatform({ modelUrl: model.url });
  await platform.call('POST', '/v1/patterns', cachedPattern('kept', 'Greet.'));
  await platform.call('POST', '/v1/patterns', { name: 'plain', system: 'Greet.' });
});
afterEach(() => {
  script = undefined;
});
after(async () => {
  await platform.stop();
  await model.close();
});

const ask = (fields: object = {}, key = platform.alpha.ownerKey) =>
  platform.call('POST', '/v1/runs', { pattern: 'kept', input: 'now', model: 'openai/test', ...fields }, { key });

test('the same question gets the same answer from a run of its own that costs nothing', async () => {
  const first = await ask();
  assert.equal(first.status, 200, first.text);
  assert.equal(first.body.cached, undefined);
  const calls = model.calls.length;
  const again = await ask({ metadata: { other: '1' }, timeout_ms: 5_000 });
  assert.equal(model.calls.length, calls);
  assert.equal(again.status, 200, again.text);
  assert.equal(again.body.cached, true);
  assert.equal(again.body.cached_from, first.body.id);
  assert.notEqual(again.body.id, first.body.id);
  for (const field of ['output', 'model', 'stop_reason', 'version']) assert.equal(again.body[field], first.body[field]);
  assert.equal(again.body.cost_micros, 0);
  assert.deepEqual(again.body.attempts, []);
  assert.deepEqual((await platform.call('GET', `/v1/runs/${again.body.id}`)).body, again.body);
  // Chains of copies lead to the run that asked.
  assert.equal((await ask()).body.cached_from, first.body.id);
});

test('whatever changes the question asks anew', async () => {
  await ask();
  for (const fields of [
    { input: 'then' },
    { model: 'openai/other' },
    { parameters: { temperature: 0.1 } },
    { parameters: { seed: 1 } },
    { language: 'de' },
    { pattern: 'plain' },
  ]) {
    const { body } = await ask(fields);
    assert.equal(body.cached, undefined, JSON.stringify(fields));
  }
  assert.equal((await ask({ parameters: { seed: 1 } })).body.cached, true);
  assert.equal(
    (await ask({ pattern: 'plain' })).body.cached,
    undefined,
    'a pattern that does not ask for it keeps nothing',
  );
  assert.equal((await ask()).body.cached, true);
  const files = cachedPattern('', 'Greet otherwise.').files;
  await platform.call('POST', '/v1/patterns/kept/versions', { files });
  assert.equal((await ask()).body.cached, undefined, 'another version');
  assert.equal((await ask({ version: 1 })).body.cached, true);
});

test('the caller can ask anew, with and without keeping the answer', async () => {
  const input = 'by choice';
  const first = (await ask({ input })).body;
  const off = (await ask({ input, cache: 'off' })).body;
  assert.notEqual(off.output, first.output);
  assert.equal((await ask({ input })).body.output, first.output);
  const fresh = (await ask({ input, cache: 'refresh' })).body;
  assert.equal(fresh.cached, undefined);
  const kept = (await ask({ input })).body;
  assert.deepEqual([kept.output, kept.cached_from], [fresh.output, fresh.id]);
});

test('Z-9: an answer never leaves its workspace', async () => {
  await platform.call('POST', '/v1/patterns', cachedPattern('kept', 'Greet.'), { key: platform.beta.ownerKey });
  const ours = (await ask({ input: 'both', version: 1 })).body;
  const theirs = await ask({ input: 'both', version: 1 }, platform.beta.ownerKey);
  assert.equal(theirs.status, 200, theirs.text);
  assert.equal(theirs.body.cached, undefined);
  assert.notEqual(theirs.body.output, ours.output);
});

test('failures, sessions and attachments are not kept', async () => {
  script = (_, { response }) => void response.writeHead(400).end('{}');
  assert.ok((await ask({ input: 'bad' })).status >= 400);
  script = undefined;
  assert.equal((await ask({ input: 'bad' })).body.cached, undefined);
  for (const fields of [{ session: 'talk' }, { attachments: [{ type: 'text', name: 'a.txt', text: 'a' }] }]) {
    await ask({ input: 'with more', ...fields });
    assert.equal((await ask({ input: 'with more', ...fields })).body.cached, undefined, JSON.stringify(fields));
  }
});

test('a kept answer is streamed where a stream is asked for, also to one who reads it along', async () => {
  const text = `Grüße 👋 ${'lang '.repeat(20_000)}`;
  script = (_, answer) => answer.say(text);
  await ask({ input: 'long' });
  const { text: stream } = await ask({ input: 'long', stream: true });
  const blocks = stream.split('\n\n').filter((block) => block !== '');
  const data = blocks.map((block) => JSON.parse(block.slice(block.indexOf('data: ') + 6)));
  assert.equal(
    data
      .slice(1, -1)
      .map((piece) => piece.text)
      .join(''),
    text,
  );
  assert.equal(data.at(-1).cached, true);
  assert.equal(data.at(-1).output, text);
});

test('a key replays the run, cached or not', async () => {
  const first = (await ask({ input: 'keyed', idempotency_key: 'cache-1' })).body;
  const copy = (await ask({ input: 'keyed', idempotency_key: 'cache-2' })).body;
  assert.equal(copy.cached_from, first.id);
  assert.deepEqual((await ask({ input: 'keyed', idempotency_key: 'cache-2' })).body, { ...copy, replayed: true });
});

test('an answer that is longer than the pattern allows ends at the bound, as a failure', async () => {
  const made = await platform.call(
    'POST',
    '/v1/patterns',
    cachedPattern('short', 'Be short.', 'output:\n  max_characters: 9\n'),
  );
  assert.equal(made.status, 201, made.text);
  script = (_, answer) => answer.say('12345678👋 and more', { pieces: ['1234567', '8👋', ' and more'] });
  const plain = await ask({ pattern: 'short' });
  assert.equal(plain.status, 502, plain.text);
  assert.equal(plain.body.code, 'truncated');
  assert.equal((await platform.call('GET', `/v1/runs/${plain.body.run_id}`)).body.output, '12345678');
  const streamed = await ask({ pattern: 'short', stream: true });
  assert.match(streamed.text, /event: run\.failed\nid: 8\n/);
  script = (_, answer) => answer.say('123456789');
  assert.equal((await ask({ pattern: 'short' })).status, 200);
});

test('a deadline bounds the run, and one that is too near begins no call', async () => {
  const within = (ms: string, fields: object = {}) =>
    platform.call(
      'POST',
      '/v1/runs',
      { pattern: 'plain', input: 'x', model: 'openai/test', ...fields },
      {
        headers: { 'damask-deadline': ms },
      },
    );
  const calls = model.calls.length;
  for (const ms of ['0', '10']) {
    const late = await within(ms);
    assert.equal(late.status, 504, late.text);
    assert.equal(late.body.run_id, undefined);
  }
  for (const bad of ['', '-1', '1.5', '1e3', 'soon', '1, 2']) assert.equal((await within(bad)).status, 400, bad);
  assert.equal(model.calls.length, calls);
  script = () => undefined;
  const cut = await within('150');
  assert.equal(cut.status, 504, cut.text);
  assert.ok(cut.body.run_id);
  script = undefined;
  assert.equal((await within('99999999999')).status, 200);
});

test('the cache is bounded by entries and bytes of a workspace, by all together, and by time', () => {
  let now = 0;
  const cache = createAnswerCache({ monotonic: () => now } as Clock, { entries: 3, bytes: 3_000, totalBytes: 5_000 });
  const answer = (output: string) =>
    ({ id: 'r', status: 'succeeded', model: 'm', output, stop_reason: 'stop' }) as unknown as Run;
  for (const key of ['1', '2', '3']) cache.put('a', key, answer(key), 10);
  assert.ok(cache.find('a', '1'));
  cache.put('a', '4', answer('4'), 10);
  assert.equal(cache.find('a', '2'), undefined, 'the one that was used longest ago is gone');
  assert.ok(cache.find('a', '1'));
  cache.put('a', '5', answer('x'.repeat(1_000)), 10);
  assert.equal(cache.find('a', '3'), undefined);
  assert.ok(cache.find('a', '5'));
  for (const workspace of ['b', 'c']) cache.put(workspace, '1', answer('x'.repeat(900)), 10);
  assert.equal(cache.find('a', '4'), undefined, 'the workspace that was used longest ago gives way');
  assert.ok(cache.find('c', '1'));
  now = 10_000;
  assert.equal(cache.find('c', '1'), undefined);
  cache.put('d', '1', answer('x'.repeat(1024 * 1024)), 10);
  assert.equal(cache.find('d', '1'), undefined);
  cache.put('d', '1', { ...answer('x'), status: 'failed' }, 10);
  assert.equal(cache.find('d', '1'), undefined);
});
