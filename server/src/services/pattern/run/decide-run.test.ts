import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { type ModelServer, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let breaks = 0;

before(async () => {
  model = await startModelServer((_, answer) => {
    // Taken, and no verdict: whether it is charged nobody knows.
    if (breaks-- > 0) answer.response.destroy();
    else answer.say('Done.');
  });
  platform = await startTestPlatform({ modelUrl: model.url });
  const content = 'on_uncertain: review\nmodel: openai/test\n';
  const files = [
    { path: 'system.md', content: 'Do it once.' },
    { path: 'pattern.yaml', content },
  ];
  assert.equal((await platform.call('POST', '/v1/patterns', { name: 'once', files })).status, 201);
  const chain = [
    {
      path: 'pattern.yaml',
      content: 'steps: {first: {pattern: once}, second: {pattern: once}}\noutput: $steps.second.output',
    },
  ];
  assert.equal((await platform.call('POST', '/v1/patterns', { name: 'twice', files: chain })).status, 201);
});
after(async () => {
  await platform.stop();
  await model.close();
});

async function until(id: string, status: string) {
  for (let tries = 0; tries < 400; tries++) {
    const { body } = await platform.call('GET', `/v1/runs/${id}`);
    if (body.status === status) return body;
    assert.equal(body.finished_at, null, JSON.stringify(body));
    await systemClock.sleep(25);
  }
  throw new Error(`The run did not become ${status}`);
}

async function startBroken(pattern: string) {
  breaks = 1;
  const { body } = await platform.call('POST', '/v1/runs', { pattern, input: 'in', mode: 'async' });
  await until(body.id, 'waiting');
  return body.id as string;
}

const decide = (id: string, fields: object) => platform.call('POST', `/v1/runs/${id}/decisions`, fields);
const outcomes = (attempts: { number: number; outcome: string }[]) =>
  attempts.map(({ number, outcome }) => `${number} ${outcome}`);

test('a call that nobody knows the end of waits for a person, who has it made again', async () => {
  const id = await startBroken('once');
  const calls = model.calls.length;
  const refused = await decide(id, { decision: 'approve' });
  assert.deepEqual([refused.status, refused.body.pointer], [400, '/decision']);
  assert.equal((await decide(id, { decision: 'retry' })).status, 200);
  const run = await until(id, 'succeeded');
  assert.equal(run.output, 'Done.');
  assert.deepEqual(outcomes(run.attempts), ['1 uncertain', '2 succeeded']);
  assert.equal(model.calls.length, calls + 1);
});

test('or has the run end, without another call', async () => {
  const id = await startBroken('once');
  const calls = model.calls.length;
  assert.equal((await decide(id, { decision: 'fail', comment: 'Too risky.' })).status, 200);
  const run = await until(id, 'failed');
  assert.deepEqual(outcomes(run.attempts), ['1 uncertain']);
  assert.equal((await decide(id, { decision: 'retry' })).body.code, 'run_finished');
  assert.equal(model.calls.length, calls);
});

test('in a chain that is asked about the step alone, and the others go on', async () => {
  const id = await startBroken('twice');
  const steps = async () => (await platform.call('GET', `/v1/runs/${id}/steps`)).body.items as Record<string, string>[];
  const asked = (await steps()).find(({ state }) => state === 'waiting') as { path: string };
  assert.equal((await decide(id, { decision: 'retry', step: 'nowhere' })).body.code, 'not_waiting');
  assert.equal((await decide(id, { decision: 'retry', step: asked.path })).status, 200);
  await until(id, 'succeeded');
  assert.deepEqual(
    (await steps()).map(({ state }) => state),
    ['succeeded', 'succeeded'],
  );
});
