import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let script: Script | undefined;

before(async () => {
  model = await startModelServer((call, answer) => (script ?? ((_, given) => given.say('Hello.')))(call, answer));
  platform = await startTestPlatform({ modelUrl: model.url });
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet kindly.' });
});
afterEach(() => {
  script = undefined;
});
after(async () => {
  await platform.stop();
  await model.close();
});

const greet = { pattern: 'greet', input: 'now', model: 'openai/test', mode: 'async' };
const start = (fields: object = {}, headers: Record<string, string> = {}) =>
  platform.call('POST', '/v1/runs', { ...greet, ...fields }, { headers });

async function ended(id: string) {
  for (let tries = 0; tries < 400; tries++) {
    const { body } = await platform.call('GET', `/v1/runs/${id}`);
    if (body.finished_at !== null) return body;
    await systemClock.sleep(25);
  }
  throw new Error('The run did not end');
}

test('an asynchronous run is answered at once and executed by itself', async () => {
  const accepted = await start({ metadata: { ticket: 'x' }, subject: 'mia', variables: {} });
  assert.equal(accepted.status, 202, accepted.text);
  assert.equal(accepted.body.status, 'queued');
  assert.equal(accepted.body.queue.priority, 'interactive');
  const run = await ended(accepted.body.id);
  assert.equal(run.status, 'succeeded', JSON.stringify(run));
  assert.equal(run.output, 'Hello.');
  assert.equal(run.input, 'now');
  assert.equal(run.subject, 'mia');
  assert.equal(run.attempts.length, 1);
  assert.equal(run.queue, undefined);
  assert.deepEqual(run.metadata, { ticket: 'x' });
});
