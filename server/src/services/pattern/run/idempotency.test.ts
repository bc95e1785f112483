import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '#platform/clock.ts';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import { forgetClaims } from './claim-store.ts';

let platform: TestPlatform;
let model: ModelServer;
let script: Script | undefined;
let serial = 0;

before(async () => {
  model = await startModelServer((call, answer) => (script ?? ((_, given) => given.say('Hello.')))(call, answer));
  platform = await startTestPlatform({ modelUrl: model.url });
  for (const name of ['greet', 'part']) await platform.call('POST', '/v1/patterns', { name, system: 'Greet kindly.' });
});
afterEach(() => {
  script = undefined;
});
after(async () => {
  await platform.stop();
  await model.close();
});

const greet = { pattern: 'greet', input: 'now', model: 'openai/test' };
const freshKey = () => `key-${serial++}`;
const run = (key: string, fields: object = {}, workspaceKey = platform.alpha.ownerKey) =>
  platform.call(
    'POST',
    '/v1/runs',
    { ...greet, ...fields },
    { headers: { 'idempotency-key': key }, key: workspaceKey },
  );

test('the same request with the same key gets the same run, and the model is called once', async () => {
  const key = freshKey();
  const calls = model.calls.length;
  const first = await run(key);
  assert.equal(first.status, 200, first.text);
  assert.equal(first.body.replayed, undefined);
  assert.equal(first.headers.get('idempotent-replayed'), null);
  const again = await run(key);
  assert.equal(again.status, 200);
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
  assert.deepEqual(again.body, { ...first.body, replayed: true });
  // The field is the header's twin, and the order of fields says nothing.
  const asField = await platform.call('POST', '/v1/runs', {
    idempotency_key: key,
    model: 'openai/test',
    input: 'now',
    pattern: 'greet',
  });
  assert.equal(asField.body.id, first.body.id);
  assert.equal(model.calls.length, calls + 1);
});

test('of 50 simultaneous requests with one key one is run, and all that are answered get its answer', async () => {
  script = async (_, answer) => {
    await systemClock.sleep(50);
    answer.say('Once.');
  };
  const key = freshKey();
  const calls = model.calls.length;
  const replies = await Promise.all(Array.from({ length: 50 }, () => run(key)));
  assert.equal(model.calls.length, calls + 1);
  const runs = new Set(replies.map(({ body }) => body.id ?? body.run_id));
  assert.equal(runs.size, 1);
  for (const { status, body, headers } of replies) {
    if (status === 200) continue;
    assert.equal(status, 409, JSON.stringify(body));
    assert.equal(body.code, 'idempotency_in_progress');
    assert.ok(Number(headers.get('retry-after')) >= 1);
  }
  assert.equal(replies.filter(({ status, body }) => status === 200 && !body.replayed).length, 1);
  assert.equal((await run(key)).body.output, 'Once.');
});

test('another request with the same key is refused, whichever field differs', async () => {
  const key = freshKey();
  const { body } = await run(key);
  for (const fields of [{ input: 'then' }, { parameters: { seed: 1 } }, { metadata: { a: '1' } }, { stream: true }]) {
    const reply = await run(key, fields);
    assert.equal(reply.status, 422, reply.text);
    assert.equal(reply.body.code, 'idempotency_key_reused');
    assert.equal(reply.body.run_id, body.id);
  }
});

test('a key belongs to its workspace', async () => {
  const key = freshKey();
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet.' }, { key: platform.beta.ownerKey });
  const [ours, theirs] = [await run(key), await run(key, {}, platform.beta.ownerKey)];
  assert.equal(theirs.status, 200, theirs.text);
  assert.notEqual(theirs.body.id, ours.body.id);
  assert.equal(theirs.body.replayed, undefined);
});

for (const [what, key] of [
  ['empty', ''],
  ['too long', 'k'.repeat(256)],
  ['of 10 KB', 'k'.repeat(10_000)],
  ['with letters that have twins', 'caf\u00e9'],
  ['with a control character', 'a\tb'],
] as const) {
  test(`a key that is ${what} is refused, and nothing is run`, async () => {
    const calls = model.calls.length;
    const asField = await platform.call('POST', '/v1/runs', { ...greet, idempotency_key: key });
    assert.equal(asField.status, 400, asField.text);
    const asHeader = await run(key);
    assert.equal(asHeader.status, 400, asHeader.text);
    assert.equal(model.calls.length, calls);
  });
}

test('a key in the header and in the body, or on an operation that takes none, is refused', async () => {
  const twice = await run(freshKey(), { idempotency_key: freshKey() });
  assert.equal(twice.status, 400);
  assert.equal(twice.body.pointer, '/idempotency_key');
  const headers = { 'idempotency-key': freshKey() };
  const other = await platform.call('POST', '/v1/patterns', { name: 'never', system: 'x' }, { headers });
  assert.equal(other.status, 400);
  assert.equal((await platform.call('GET', '/v1/patterns/never')).status, 404);
});

test('a failure is what the key answers from then on, with the status of the first time', async () => {
  script = (_, { response }) => void response.writeHead(400).end('{"error":{"message":"no"}}');
  const key = freshKey();
  const first = await run(key);
  assert.ok(first.status >= 400);
  script = undefined;
  const calls = model.calls.length;
  const again = await run(key);
  assert.equal(again.status, first.status);
  assert.equal(again.body.code, first.body.code);
  assert.equal(again.body.run_id, first.body.run_id);
  assert.equal(again.body.replayed, true);
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
  assert.equal(again.headers.get('retry-after'), null);
  assert.equal(model.calls.length, calls);
});

test('what is refused before anything is run does not use the key up', async () => {
  const key = freshKey();
  assert.equal((await run(key, { pattern: 'unknown' })).status, 404);
  assert.equal((await run(key)).status, 200);
});

test('a key answers although what it named is gone', async () => {
  const key = freshKey();
  const first = await run(key, { pattern: 'part' });
  await platform.call('DELETE', '/v1/patterns/part');
  const again = await run(key, { pattern: 'part' });
  assert.equal(again.status, 200, again.text);
  assert.equal(again.body.id, first.body.id);
});

test('a stream is replayed as a stream, byte for byte', async () => {
  const text = `Grüße 👋 ${'lang '.repeat(8_000)}`;
  script = (_, answer) => answer.say(text, { pieces: [text.slice(0, 10), text.slice(10)] });
  const key = freshKey();
  const first = await run(key, { stream: true });
  const again = await run(key, { stream: true });
  const [a, b] = [first.text, again.text].map(readEvents);
  assert.equal(again.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.deepEqual(b?.[0], a?.[0]);
  assert.equal(
    b
      ?.filter(({ name }) => name === 'output.delta')
      .map(({ data }) => data.text)
      .join(''),
    text,
  );
  assert.deepEqual(b?.at(-1), { ...a?.at(-1), data: { ...a?.at(-1)?.data, replayed: true } });
});

test('a run with a key goes on without its client, whose next request gets the answer', async () => {
  script = async (_, answer) => {
    await systemClock.sleep(150);
    answer.say('Still here.');
  };
  const key = freshKey();
  const leave = new AbortController();
  const left = fetch(`${platform.url}/v1/runs`, {
    method: 'POST',
    signal: leave.signal,
    headers: {
      authorization: `Bearer ${platform.alpha.ownerKey}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    },
    body: JSON.stringify(greet),
  });
  const calls = model.calls.length;
  while (model.calls.length === calls) await systemClock.sleep(5);
  leave.abort();
  await assert.rejects(left);
  let reply = await run(key);
  while (reply.status === 409) {
    await systemClock.sleep(20);
    reply = await run(key);
  }
  assert.equal(reply.body.output, 'Still here.');
  assert.equal(model.calls.length, calls + 1);
});

test('keys and requests lie in the database as HMACs only, and are forgotten after a day', async () => {
  const key = 'a-key-that-somebody-could-guess';
  await run(key);
  const client = new pg.Client(platform.connection);
  await client.connect();
  try {
    const { rows } = await client.query('select row_to_json(c)::text as text from pattern.claim as c');
    assert.ok(rows.length > 0);
    for (const { text } of rows) assert.ok(!text.includes(key) && !text.includes(Buffer.from(key).toString('hex')));
    assert.equal(await forgetClaims(platform.floor.database, 24, 500), 0);
    await client.query(`update pattern.claim set claimed_at = now() - interval '25 hours' where run = $1`, [
      (await run(key)).body.id,
    ]);
    assert.equal(await forgetClaims(platform.floor.database, 24, 500), 1);
    assert.equal((await run(key)).body.replayed, undefined);
  } finally {
    await client.end();
  }
});

function readEvents(text: string) {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
      return { name: fields.event, id: Number(fields.id), data: JSON.parse(fields.data) };
    });
}
