import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let script: Script | undefined;

before(async () => {
  model = await startModelServer((call, answer) => (script ?? ((_, given) => given.say('Hello.')))(call, answer));
  platform = await startTestPlatform({ modelUrl: model.url });
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet {{name}} kindly.' });
});
after(async () => {
  await platform.stop();
  await model.close();
});

const greet = { pattern: 'greet', input: 'now', variables: { name: 'Ada' }, model: 'openai/test' };

test('a run answers with the text, its usage and its record', async () => {
  const { status, body } = await platform.call('POST', '/v1/runs', { ...greet, metadata: { ticket: '7' } });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.status, 'succeeded');
  assert.equal(body.output, 'Hello.');
  assert.deepEqual(body.usage, { input_tokens: 11, output_tokens: 7, cached_input_tokens: null, reasoning_tokens: null });
  assert.equal(body.cost_micros, null);
  const stored = await platform.call('GET', `/v1/runs/${body.id}`);
  assert.deepEqual(stored.body, body);
  const { body: list } = await platform.call('GET', '/v1/runs?pattern=greet&limit=1');
  assert.equal(list.items[0].id, body.id);
});
