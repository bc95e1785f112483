import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let script: Script | undefined;

before(async () => {
  model = await startModelServer((call, answer) => (script ?? ((_, given) => given.say('Hello.')))(call, answer));
  platform = await startTestPlatform({ modelUrl: model.url });
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet {{name}} in {{tone}} words.' });
  await platform.call('POST', '/v1/patterns', { name: 'other', system: 'Say goodbye.' });
});
afterEach(() => {
  script = undefined;
});
after(async () => {
  await platform.stop();
  await model.close();
});

const first = {
  pattern: 'greet',
  input: 'now',
  variables: { name: 'Ada', tone: 'warm' },
  model: 'openai/one',
  parameters: { temperature: 0.5, seed: 7 },
  metadata: { ticket: '7' },
};
const run = (fields: object = {}) => platform.call('POST', '/v1/runs', { ...first, ...fields });
const rerun = (id: string, changes: object = {}, key = platform.alpha.ownerKey) =>
  platform.call('POST', `/v1/runs/${id}/rerun`, changes, { key });
const list = async (query: string, key = platform.alpha.ownerKey) => {
  const reply = await platform.call('GET', `/v1/runs?${query}`, undefined, { key });
  assert.equal(reply.status, 200, reply.text);
  return reply.body.items;
};

test('a run can be run again as it was, with the version of then', async () => {
  const { body } = await run();
  await platform.call('POST', '/v1/patterns/greet/versions', { system: 'Greet {{name}} anew, {{tone}}.' });
  const again = await rerun(body.id);
  assert.equal(again.status, 200, again.text);
  assert.notEqual(again.body.id, body.id);
  assert.equal(again.body.rerun_of, body.id);
  for (const field of ['pattern', 'version', 'digest', 'input', 'variables', 'model', 'metadata', 'strategy']) {
    assert.deepEqual(again.body[field], body[field], field);
  }
  const [one, two] = model.calls.slice(-2);
  assert.deepEqual(two?.body, one?.body);
  assert.deepEqual((await platform.call('GET', `/v1/runs/${again.body.id}`)).body, again.body);
  assert.deepEqual(
    (await list(`rerun_of=${body.id}`)).map(({ id }: { id: string }) => id),
    [again.body.id],
  );
  const newest = await rerun(body.id, { environment: 'development' });
  assert.equal(newest.body.version, 2);
  // A run that was itself run again keeps what it kept.
  const third = await rerun(again.body.id);
  assert.deepEqual(model.calls.at(-1)?.body, one?.body);
  assert.equal(third.body.rerun_of, again.body.id);
});

test('what the request names is changed, and nothing else', async () => {
  const { body } = await run();
  await rerun(body.id, { model: 'openai/two', variables: { tone: 'cold' }, parameters: { seed: 8 } });
  const call = model.calls.at(-1);
  assert.equal(call?.model, 'two');
  assert.match(call?.messages[0]?.content ?? '', /Ada.*cold/);
  assert.equal(call?.body.temperature, 0.5);
  assert.equal(call?.body.seed, 8);
  const other = await rerun(body.id, { pattern: 'other' });
  assert.equal(other.body.pattern, 'other');
  assert.equal(other.body.input, 'now');
  const streamed = await rerun(body.id, { stream: true });
  assert.match(streamed.text, /^event: run\.accepted/);
});

test('a rerun takes a key like any run', async () => {
  const { body } = await run();
  const calls = model.calls.length;
  const twice = await Promise.all([0, 1].map(() => rerun(body.id, { idempotency_key: 'again' })));
  const replies = twice.map(({ status }) => status).sort();
  assert.ok(replies[0] === 200 && (replies[1] === 200 || replies[1] === 409), String(replies));
  assert.equal(model.calls.length, calls + 1);
  assert.equal((await rerun(body.id, { idempotency_key: 'again' })).body.replayed, true);
  assert.equal((await rerun(body.id, { idempotency_key: 'again', input: 'x' })).status, 422);
  // The same key on another operation is another key.
  assert.equal((await run({ idempotency_key: 'again' })).body.replayed, undefined);
});

test('what cannot be run again says why', async () => {
  const { body } = await run();
  assert.equal((await rerun(randomUUID())).status, 404);
  assert.equal((await rerun(body.id, {}, platform.beta.ownerKey)).status, 404);
  assert.equal((await rerun(body.id, { version: 1, label: 'x' })).status, 400);
  assert.equal((await rerun(body.id, { version: 99 })).status, 404);
  const client = new pg.Client(platform.connection);
  await client.connect();
  try {
    await client.query('update pattern.finished set payload = null where id = $1', [body.id]);
  } finally {
    await client.end();
  }
  const gone = await rerun(body.id);
  assert.equal(gone.status, 409);
  assert.equal(gone.body.code, 'payload_gone');
  assert.equal((await rerun(body.id, { input: 'given', variables: first.variables })).status, 200);
});

test('a turn of a session is run again only where the request names a session', async () => {
  const { body } = await run({ session: 'talk' });
  const refused = await rerun(body.id);
  assert.equal(refused.status, 400);
  assert.equal(refused.body.pointer, '/session');
  assert.equal((await rerun(body.id, { session: 'talk_again' })).body.session, 'talk_again');
});

test('runs are found by their end user, whom no list and no column names', async () => {
  const subject = 'ada@example.org';
  const { body } = await run({ subject });
  await run({ subject: 'somebody else' });
  assert.equal(body.subject, subject);
  assert.equal((await platform.call('GET', `/v1/runs/${body.id}`)).body.subject, subject);
  const found = await list(`subject=${encodeURIComponent(subject)}`);
  assert.deepEqual(
    found.map(({ id }: { id: string }) => id),
    [body.id],
  );
  assert.ok(!JSON.stringify(found).includes(subject));
  assert.deepEqual(await list(`subject=${encodeURIComponent(subject)}`, platform.beta.ownerKey), []);
  assert.equal((await rerun(body.id)).body.subject, subject);
  assert.equal((await list(`subject=${encodeURIComponent(subject)}`)).length, 2);
  for (const bad of ['', 'x'.repeat(201)]) assert.equal((await run({ subject: bad })).status, 400);
  const client = new pg.Client(platform.connection);
  await client.connect();
  try {
    const { rows } = await client.query(
      `select row_to_json(f)::text as text from pattern.finished as f where subject is not null`,
    );
    assert.ok(rows.length >= 3);
    for (const { text } of rows)
      assert.ok(!text.includes(subject) && !text.includes(Buffer.from(subject).toString('hex')));
  } finally {
    await client.end();
  }
});

test('lists are narrowed by metadata, page by page', async () => {
  for (const n of ['1', '2', '3']) await run({ metadata: { batch: 'b 1', n } });
  await run({ metadata: { batch: 'b=1' } });
  const query = `metadata=${encodeURIComponent('batch=b 1')}`;
  const page = (await platform.call('GET', `/v1/runs?${query}&limit=2`)).body;
  const rest = (await platform.call('GET', `/v1/runs?${query}&limit=2&cursor=${page.next}`)).body;
  const numbers = [...page.items, ...rest.items].map(({ metadata }) => metadata.n);
  assert.deepEqual(numbers, ['3', '2', '1']);
  assert.equal((await list(`${query}&metadata=n%3D2`)).length, 1);
  assert.equal((await list(`${query}&metadata=n%3D2&metadata=n%3D3`)).length, 0);
  assert.equal((await list(`metadata=${encodeURIComponent('batch=b=1')}`)).length, 1);
  for (const bad of ['metadata=x', 'metadata==1', `metadata=${'a'.repeat(65)}%3D1`, 'metadata=a%3D1&'.repeat(6)]) {
    assert.equal((await platform.call('GET', `/v1/runs?${bad}`)).status, 400, bad);
  }
});
