import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let pool: pg.Pool;
let script: Script;
const key = 'a-key-of-no-shape-7f3c';

before(async () => {
  model = await startModelServer((call, answer) => script(call, answer));
  platform = await startTestPlatform({ modelUrl: model.url, environment: { DAMASK_EGRESS_ALLOW: '127.0.0.1' } });
  pool = new pg.Pool({ ...platform.connection, max: 1 });
  const provider = { base_url: model.url, api_key: key, models: [{ id: 'm' }] };
  assert.equal((await platform.call('PUT', '/v1/providers/mine', provider)).status, 200);
  assert.equal((await platform.call('POST', '/v1/patterns', { name: 'plain', system: 'Answer.' })).status, 201);
});
after(async () => {
  await pool.end();
  await platform.stop();
  await model.close();
});

const run = (input: string, more: object = {}) =>
  platform.call('POST', '/v1/runs', { pattern: 'plain', model: 'mine/m', input, ...more });

async function ended(id: string) {
  for (;;) {
    const { body } = await platform.call('GET', `/v1/runs/${id}`);
    if (/failed|succeeded/.test(body.status)) return body;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('what a provider quotes of an input is told to who reads the run, and is stored sealed only', async () => {
  script = ({ messages }, { response }) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: `What is ${messages.at(-1)?.content}?` } }));
  };
  const at = await run('my-secret-diagnosis');
  assert.match(at.text, /It said: What is my-secret-diagnosis\?/);
  const queued = await run('my-secret-diagnosis', { mode: 'async' });
  for (const id of [at.body.run_id, queued.body.id]) {
    const { error } = await ended(id);
    assert.match(error.detail, /^mine answered 400\. .* It said: What is my-secret-diagnosis\?$/);
  }
  const { rows } = await pool.query<{ row: string }>(
    `select t::text as row from pattern.finished as t union all select t::text from pattern.step as t
      union all select t::text from pattern.outbox as t`,
  );
  assert.ok(rows.length >= 2);
  assert.ok(!JSON.stringify(rows).includes('diagnosis'));
  const { items } = (await platform.call('GET', '/v1/runs')).body;
  assert.deepEqual(
    [...new Set(items.map(({ error }: { error: { detail: string } }) => error.detail))],
    ['mine answered 400. Try again, or another model.'],
  );
  const health = await platform.call('GET', '/v1/providers/health');
  assert.match(health.text, /mine answered 400/);
  assert.ok(!health.text.includes('diagnosis'));
  assert.ok(!JSON.stringify(platform.logged).includes('diagnosis'));
});

test('S-3: a key that a provider says within its answer is not told, whole, in pieces or in the call of a tool', async () => {
  script = (_, answer) => answer.say('', { pieces: [...`My key is ${key}, and a-key of another is not.`] });
  const told = await run('say it', { stream: true });
  const texts = [...told.text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data as string).text ?? '');
  assert.equal(texts.join(''), 'My key is [redacted], and a-key of another is not.');
  assert.ok(!told.text.includes('no-shape'));
  script = (_, answer) => answer.say(`${key}${key} a-key-of-no-sha`);
  assert.equal((await run('say it')).body.output, '[redacted][redacted] [redacted]');
  script = (_, answer) => answer.say(`a-key`);
  assert.equal((await run('say it')).body.output, 'a-key');
  const call = { id: 'one', type: 'function', function: { name: 'look', arguments: JSON.stringify({ at: key }) } };
  script = (_, { response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const message = { role: 'assistant', content: null, tool_calls: [call] };
    response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'tool_calls' }] }));
  };
  const tools = [{ name: 'look', description: 'Looks.', parameters: { type: 'object' } }];
  const asked = await run('call it', { tools });
  assert.equal(asked.status, 200, asked.text);
  assert.equal(asked.body.tool_calls[0].arguments, '{"at":"[redacted]"}');
});

test('a secret in a wrong place of a request is not said again, nor noted', async () => {
  const secret = `sk-${'Zq4'.repeat(9)}`;
  const answers = [
    await platform.call('POST', '/v1/runs', { pattern: 'plain', [secret]: 1 }),
    await platform.call('GET', `/v1/runs?${secret}=${secret}`),
    await platform.call('DELETE', `/v1/me/login-sessions/${secret}`),
    await platform.call('POST', '/scim/v2/Users', `{"${secret}": 1, "${secret}": 2}`),
  ];
  for (const { status, text } of answers) {
    assert.ok(status >= 400 && status < 500, text);
    assert.ok(!text.includes('Zq4'), text);
  }
  for (let look = 0; look < 100; look++) {
    const { rows } = await pool.query<{ subject: string }>(
      `select subject from identity.audit where outcome <> 'done'`,
    );
    assert.ok(!JSON.stringify(rows).includes('Zq4'));
    if (rows.some(({ subject }) => subject.includes('[redacted]'))) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail('What was refused is never noted');
});
