import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ModelServer, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;

before(async () => {
  model = await startModelServer(({ body }, answer) =>
    // Whoever is asked to be quick is not.
    JSON.stringify(body.messages).includes('Quick.') ? undefined : answer.say('Hello.'),
  );
  platform = await startTestPlatform({ modelUrl: model.url });
});
after(async () => {
  await platform.stop();
  await model.close();
});

const put = async (name: string, system: string, yaml = '') => {
  const files = [
    { path: 'pattern.yaml', content: yaml },
    { path: 'system.md', content: system },
  ];
  const reply = await platform.call('POST', '/v1/patterns', { name, files });
  assert.equal(reply.status, 201, reply.text);
};
const run = (pattern: string, fields: object = {}) =>
  platform.call('POST', '/v1/runs', { pattern, input: 'now', model: 'openai/test', ...fields });

test("an input beyond the pattern's limit is refused before a model is called", async () => {
  await put('short', 'Shorten.', 'limits: {input_characters: 5}');
  const { status, body } = await run('short', { input: '123456' });
  assert.deepEqual([status, body.code, body.pointer], [422, 'input_too_long', '/input']);
  assert.match(body.detail, /holds 6 characters; this pattern takes 5/);
  const attached = await run('short', { attachments: [{ type: 'text', name: 'a.txt', text: '123' }] });
  assert.equal(attached.body.code, 'input_too_long');
  const preview = await platform.call('POST', '/v1/render', { pattern: 'short', input: '123456' });
  assert.equal(preview.body.code, 'input_too_long');
  assert.equal((await run('short', { input: '12345' })).status, 200);
});

test('a preview shows the composed text and what it was composed from', async () => {
  await put('style', '# TONE\nBe {{tone}}.\n# OTHER\nNothing.');
  await put(
    'mail',
    'Write.\n{{#if formal}}\nDear all.\n{{/if}}\n{{> style#tone}}',
    'template: 2\nvariables: {formal: {type: boolean, required: false}}',
  );
  const request = { pattern: 'mail', input: 'x', variables: { tone: '{{#if x}}', formal: 'true' } };
  const { status, body } = await platform.call('POST', '/v1/render', request);
  assert.equal(status, 200);
  assert.equal(body.messages[0].content, 'Write.\nDear all.\nBe {{#if x}}.');
  assert.deepEqual(
    [body.includes.length, body.includes[0].pattern, body.includes[0].section, body.includes[0].version],
    [1, 'style', 'tone', 1],
  );
  assert.equal((await run('mail', request)).body.output, 'Hello.');
  const sent = model.calls.at(-1)?.body.messages as { content: string }[];
  assert.equal(sent[0]?.content, 'Write.\nDear all.\nBe {{#if x}}.');
});

test('runs of a deprecated pattern go on and say so', async () => {
  await put('old', 'Old.');
  await put('new', 'New.');
  assert.equal((await run('old')).body.deprecated, undefined);
  const { body } = await platform.call('PUT', '/v1/patterns/old/deprecation', {
    successor: 'new',
    message: 'Shorter.',
  });
  const answer = await run('old');
  assert.deepEqual([answer.status, answer.body.output, answer.body.deprecated], [200, 'Hello.', body.deprecated]);
  const stream = await fetch(`${platform.url}/v1/runs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${platform.alpha.ownerKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ pattern: 'old', input: 'x', model: 'openai/test', stream: true }),
  });
  const [accepted] = (await stream.text()).split('\n\n');
  assert.match(accepted ?? '', /event: run\.accepted/);
  assert.match(accepted ?? '', /"deprecated":\{"at":"[^"]+","message":"Shorter\.","successor":"new"\}/);
  assert.deepEqual(
    (await platform.call('POST', '/v1/render', { pattern: 'old', input: 'x' })).body.deprecated,
    body.deprecated,
  );
});

test('a run takes no longer than its pattern allows', async () => {
  await put('quick', 'Quick.', 'limits: {timeout_ms: 100}');
  const { status, body } = await run('quick', { timeout_ms: 60_000 });
  assert.deepEqual([status, body.code], [504, 'timeout']);
});
