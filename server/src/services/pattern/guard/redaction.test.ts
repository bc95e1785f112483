import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let script: Script;

const said = 'I am jo@example.com, my card is 4111 1111 1111 1111 and my number K-1234567.';
const kept = 'I am [email], my card is [card] and my number [customer].';
const yaml = "redact: {kinds: [email, card], expressions: {customer: 'K-[0-9]{7}'}}";

before(async () => {
  model = await startModelServer((call, answer) => script(call, answer));
  platform = await startTestPlatform({ modelUrl: model.url });
  await put('stored', yaml);
  await put('hidden', yaml.replace('}}', '}, model: true}'), 'variables: {name: {}}');
  await put('plain', '');
  await put('kept_answer', `${yaml}\ncache: {ttl_seconds: 60}`);
  const steps = 'steps: {one: {pattern: plain}, two: {pattern: plain, input: $steps.one.output}}';
  await put('chain', `${steps}\noutput: $steps.two.output\n${yaml}`, null);
});
after(async () => {
  await platform.stop();
  await model.close();
});

async function put(name: string, settings: string, more: string | null = '') {
  const files = [{ path: 'pattern.yaml', content: `${settings}\n${more ?? ''}` }];
  if (more !== null) files.push({ path: 'system.md', content: more === '' ? 'Answer.' : 'Answer {{name}}.' });
  const reply = await platform.call('POST', '/v1/patterns', { name, files });
  assert.equal(reply.status, 201, reply.text);
}

/** Says again what it was sent last. */
const echo: Script = ({ messages }, answer) => answer.say(messages.at(-1)?.content ?? '');
const run = (pattern: string, fields: object = {}) =>
  platform.call('POST', '/v1/runs', { pattern, input: said, model: 'openai/test', ...fields });
const read = async (id: string) => (await platform.call('GET', `/v1/runs/${id}`)).body;
const sent = () =>
  model.calls
    .at(-1)
    ?.messages.map(({ content }) => content)
    .join('\n') ?? '';

async function ended(id: string) {
  for (let look = 0; look < 200; look++) {
    const body = await read(id);
    if (body.finished_at) return body;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('The run has not ended');
}

test('what is stored of a run is redacted, what the model and its caller get is not', async () => {
  script = echo;
  const { status, body } = await run('stored');
  assert.equal(status, 200);
  assert.deepEqual([body.input, body.output, sent().includes(said)], [said, said, true]);
  assert.deepEqual(body.redacted, { email: 2, card: 2, customer: 2 });
  const record = await read(body.id);
  assert.deepEqual([record.input, record.output], [kept, kept]);
  assert.deepEqual(record.redacted, body.redacted);
  const [listed] = (await platform.call('GET', '/v1/runs?limit=1')).body.items;
  assert.deepEqual(listed.redacted, body.redacted);
});

test('where the pattern says so, the model does not see it either', async () => {
  script = echo;
  const { body } = await run('hidden', { variables: { name: 'Jo <jo@example.com>' } });
  assert.deepEqual([body.input, body.output, body.variables.name], [kept, kept, 'Jo <[email]>']);
  assert.ok(sent().includes(kept) && sent().includes('Answer Jo <[email]>.') && !sent().includes('jo@'));
  const shown = await platform.call('POST', '/v1/render', { pattern: 'hidden', input: said, variables: { name: 'x' } });
  assert.equal(shown.body.messages[1].content, kept);
  const picture = { type: 'image', name: 'a.png', data: 'iVBORw0KGgo=', media_type: 'image/png' };
  const refused = await run('hidden', { variables: { name: 'x' }, attachments: [picture] });
  assert.deepEqual([refused.status, refused.body.pointer], [422, '/attachments/0'], refused.text);
});

test('asynchronous runs, batches, sessions and attached texts are stored redacted', async () => {
  script = echo;
  const queued = await ended((await run('stored', { mode: 'async' })).body.id);
  assert.deepEqual([queued.input, queued.output], [kept, kept]);
  assert.deepEqual(queued.redacted, { email: 2, card: 2, customer: 2 });
  assert.ok(sent().includes(said));
  await ended((await run('hidden', { mode: 'async', variables: { name: 'x' } })).body.id);
  assert.ok(sent().includes(kept) && !sent().includes('jo@'));

  await run('stored', { session: 'talk' });
  const turns = (await platform.call('GET', '/v1/sessions/talk/turns')).body.items;
  assert.deepEqual(
    turns.map(({ content }: { content: string }) => content),
    [kept, kept],
  );

  const file = { type: 'text', name: 'a.txt', text: said };
  const attached = await run('stored', { attachments: [file] });
  assert.ok(!JSON.stringify(await read(attached.body.id)).includes('jo@'));
  const again = await platform.call('POST', `/v1/runs/${attached.body.id}/rerun`, {});
  assert.ok(again.status === 200 && !sent().includes('jo@'), again.text);

  const batch = await platform.call('POST', '/v1/batches', {
    pattern: 'hidden',
    model: 'openai/test',
    items: [{ input: said, variables: { name: 'x' } }],
  });
  for (let look = 0; look < 200; look++) {
    if ((await platform.call('GET', `/v1/batches/${batch.body.id}`)).body.finished_at) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.ok(sent().includes(kept) && !sent().includes('jo@'));
  assert.equal(JSON.parse((await platform.call('GET', `/v1/batches/${batch.body.id}/results`)).text).output, kept);
});

test('a chain gives its steps what it stores, and the steps hold nothing else', async () => {
  script = echo;
  const { body } = await run('chain', { model: undefined });
  assert.equal(body.output, kept, JSON.stringify(body));
  const { items } = (await platform.call('GET', `/v1/runs/${body.id}/steps`)).body;
  assert.deepEqual(
    items.map(({ output }: { output: string }) => output),
    [kept, kept],
  );
  assert.ok(!sent().includes('jo@'));
});

test('who follows such a run gets what is stored, with its end', async () => {
  script = async ({ messages }, answer) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    answer.say(messages.at(-1)?.content ?? '');
  };
  const { body } = await run('stored', { mode: 'async' });
  const { text } = await platform.call('GET', `/v1/runs/${body.id}/events`);
  assert.ok(text.includes('[email]') && text.includes('run.succeeded') && !text.includes('jo@'), text);
});

test('an answer that is kept for others is the whole one', async () => {
  script = echo;
  assert.equal((await run('kept_answer')).body.output, said);
  const again = (await run('kept_answer')).body;
  assert.deepEqual([again.cached, again.output], [true, said]);
  assert.equal((await read(again.id)).output, kept);
});

test('a refusal of the provider that quotes the input is stored without it', async () => {
  script = (_, { response }) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: `No: ${said}` } }));
  };
  const { body } = await run('stored');
  assert.equal((await read(body.run_id)).error.detail.includes('jo@'), false);
});

test('a workspace has its own kinds taken out of all its runs, whatever its patterns say', async () => {
  script = echo;
  const set = await platform.call('PUT', '/v1/redaction', { kinds: ['email'], expressions: [], model: false });
  assert.equal(set.status, 200, set.text);
  const { body } = await run('plain');
  assert.equal(body.output, said);
  const record = await read(body.id);
  assert.equal(record.output, said.replace('jo@example.com', '[email]'));
  assert.deepEqual(record.redacted, { email: 2 });
  assert.equal((await platform.call('GET', '/v1/redaction')).body.kinds[0], 'email');
  const bad = await platform.call('PUT', '/v1/redaction', {
    kinds: [],
    expressions: [{ name: 'x', expression: '(' }],
    model: false,
  });
  assert.deepEqual([bad.status, bad.body.code, bad.body.pointer], [422, 'policy_refused', '/expressions/0/expression']);
  const nothing = { kinds: [], expressions: [], model: false };
  const runner = await platform.keyFor('runner');
  assert.equal((await platform.call('PUT', '/v1/redaction', nothing, { key: runner })).status, 403);
  const lifted = await platform.call('PUT', '/v1/redaction', nothing);
  assert.equal(lifted.status, 200);
  const requestId = lifted.headers.get('x-request-id');
  const left = async (sql: string) => (await client.query(sql, [requestId])).rows;
  const client = new pg.Client(platform.connection);
  await client.connect();
  try {
    const audit = await left('select action from pattern.audit where request_id = $1');
    assert.deepEqual(
      audit.map(({ action }) => action),
      ['putRedaction'],
    );
    const events = await left('select name from pattern.outbox where request_id = $1');
    assert.deepEqual(
      events.map(({ name }) => name),
      ['pattern.redaction-put'],
    );
  } finally {
    await client.end();
  }
  assert.equal((await read((await run('plain')).body.id)).output, said);
});
