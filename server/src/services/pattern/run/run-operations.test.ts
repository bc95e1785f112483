import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '#platform/clock.ts';
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
afterEach(() => {
  script = undefined;
});
after(async () => {
  await platform.stop();
  await model.close();
});

const greet = { pattern: 'greet', input: 'now', variables: { name: 'Ada' }, model: 'openai/test' };
const run = (fields: object = {}) => platform.call('POST', '/v1/runs', { ...greet, ...fields });
const read = async (id: string) => (await platform.call('GET', `/v1/runs/${id}`)).body;

interface Event {
  readonly name: string;
  readonly id: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read events as they come.
  readonly data: any;
}

async function stream(fields: object = {}, signal?: AbortSignal) {
  const response = await fetch(`${platform.url}/v1/runs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${platform.alpha.ownerKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...greet, ...fields, stream: true }),
    ...(signal ? { signal } : {}),
  });
  return response;
}

function readEvents(text: string): Event[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
      return { name: fields.event, id: Number(fields.id), data: JSON.parse(fields.data) };
    });
}

async function until<Value>(look: () => Value | undefined | Promise<Value | undefined>): Promise<Value> {
  for (let wait = 0; wait < 500; wait++) {
    const found = await look();
    if (found) return found;
    await systemClock.sleep(10);
  }
  throw new Error('It did not come within 5 s');
}

test('a run answers with the text, its usage and its record', async () => {
  const { status, body } = await run({ metadata: { ticket: '7' } });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.status, 'succeeded');
  assert.equal(body.output, 'Hello.');
  assert.deepEqual(body.metadata, { ticket: '7' });
  assert.equal(body.usage.input_tokens, 11);
  assert.equal(body.cost_micros, null);
  assert.deepEqual(await read(body.id), body);
  const { body: list } = await platform.call('GET', '/v1/runs?pattern=greet&limit=1');
  assert.equal(list.items[0].id, body.id);
  assert.equal('output' in list.items[0], false);
  assert.deepEqual(model.calls.at(-1)?.messages, [
    { role: 'system', content: 'Greet Ada kindly.' },
    { role: 'user', content: 'now' },
  ]);
});

test('a preview shows exactly the messages that the run then sends, and calls nothing', async () => {
  const calls = model.calls.length;
  const preview = await platform.call('POST', '/v1/render', greet);
  assert.equal(preview.status, 200);
  assert.equal(model.calls.length, calls);
  await run();
  assert.deepEqual(model.calls.at(-1)?.messages, preview.body.messages);
});

test('a stream gives acceptance, deltas with byte offsets, and the end with the whole run', async () => {
  script = (_, answer) => answer.say('Grüße 👋!', { pieces: ['Grü', 'ße ', '👋!'] });
  const response = await stream();
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const events = readEvents(await response.text());
  assert.equal(events[0]?.name, 'run.accepted');
  const deltas = events.filter((event) => event.name === 'output.delta');
  assert.equal(deltas.map((event) => event.data.text).join(''), 'Grüße 👋!');
  assert.equal(deltas.at(-1)?.id, Buffer.byteLength('Grüße 👋!'));
  const last = events.at(-1) as Event;
  assert.equal(last.name, 'run.succeeded');
  assert.deepEqual(await read(last.data.id), last.data);
});

test('a character that the model splits between two pieces comes out whole', async () => {
  script = (_, answer) => answer.say('', { pieces: ['a\ud83d', '\udc4bb'] });
  const events = readEvents(await (await stream()).text());
  assert.equal(events.at(-1)?.data.output, 'a👋b');
  assert.equal(events.at(-1)?.data.sanitised, false);
});

test('NUL and broken characters of a model are replaced, marked and paid once', async () => {
  script = (_, answer) => answer.say('a\0b\ud800c');
  const calls = model.calls.length;
  const { status, body } = await run();
  assert.equal(status, 200);
  assert.equal(body.output, 'a\ufffdb\ufffdc');
  assert.equal(body.sanitised, true);
  assert.equal(model.calls.length, calls + 1);
  assert.deepEqual(await read(body.id), body);
});

for (const [what, answerWith, status, code] of [
  ['that fails', (response) => void response.writeHead(500).end(), 502, 'provider_error'],
  ['that refuses its key', (response) => void response.writeHead(401).end(), 502, 'provider_auth'],
  ['that asks to wait', (response) => void response.writeHead(429, { 'retry-after': '7' }).end(), 503, 'provider_busy'],
  ['that does not know the model', (response) => void response.writeHead(404).end(), 404, 'model_not_found'],
] as [string, (response: import('node:http').ServerResponse) => void, number, string][]) {
  test(`a provider ${what} gives ${status} ${code} with the id of a stored run`, async () => {
    script = (_, { response }) => answerWith(response);
    const reply = await run();
    assert.equal(reply.status, status);
    assert.equal(reply.body.code, code);
    assert.equal(reply.headers.get('content-type'), 'application/problem+json');
    if (code === 'provider_busy') assert.equal(reply.headers.get('retry-after'), '7');
    const stored = await read(reply.body.run_id);
    assert.equal(stored.status, 'failed');
    assert.equal(stored.error.code, code);
    assert.equal(stored.attempts[0].code, code);
  });
}

test('a truncated stream ends with run.failed, and what arrived is kept', async () => {
  script = (_, answer) => answer.say('half', { done: false });
  const events = readEvents(await (await stream()).text());
  const last = events.at(-1) as Event;
  assert.equal(last.name, 'run.failed');
  assert.equal(last.data.error.code, 'truncated');
  assert.equal((await read(last.data.id)).output, 'half');
});

test('a run that takes longer than it may gives 504 and an uncertain attempt', async () => {
  script = () => undefined;
  const { status, body } = await run({ timeout_ms: 150 });
  assert.equal(status, 504);
  assert.equal(body.code, 'timeout');
  assert.equal((await read(body.run_id)).attempts[0].outcome, 'uncertain');
});

for (const kind of ['plain', 'stream'] as const) {
  test(`a client that leaves a ${kind} run ends the call upstream, and the run is cancelled`, async () => {
    script = (_, answer) => {
      if (kind === 'stream') answer.chunk({ choices: [{ delta: { content: 'so ' } }] });
    };
    const { abandoned, calls } = model;
    const before = calls.length;
    const leave = new AbortController();
    const metadata = { leaves: kind };
    const request =
      kind === 'stream'
        ? stream({ metadata }, leave.signal).then((response) => response.text())
        : fetch(`${platform.url}/v1/runs`, {
            method: 'POST',
            headers: { authorization: `Bearer ${platform.alpha.ownerKey}`, 'content-type': 'application/json' },
            body: JSON.stringify({ ...greet, metadata }),
            signal: leave.signal,
          });
    request.catch(() => undefined);
    await until(() => model.calls.length > before);
    await systemClock.sleep(30);
    leave.abort();
    await until(() => model.abandoned > abandoned);
    const stored = await until(async () =>
      (await platform.call('GET', '/v1/runs?status=cancelled')).body.items.find(
        (item: { metadata: object }) => JSON.stringify(item.metadata) === JSON.stringify(metadata),
      ),
    );
    assert.equal(stored.error.code, 'run_cancelled');
  });
}

test('a run that continues without its client ends as a success', async () => {
  script = async (_, answer) => {
    await systemClock.sleep(150);
    answer.say('done anyway');
  };
  const leave = new AbortController();
  const before = model.calls.length;
  const metadata = { continues: 'yes' };
  stream({ metadata, on_disconnect: 'continue' }, leave.signal)
    .then((response) => response.text())
    .catch(() => undefined);
  await until(() => model.calls.length > before);
  leave.abort();
  await until(async () =>
    (await platform.call('GET', '/v1/runs?status=succeeded')).body.items.find(
      (item: { metadata: object }) => JSON.stringify(item.metadata) === JSON.stringify(metadata),
    ),
  );
});

test('a running run is listed, can be cancelled, and cannot be cancelled twice', async () => {
  script = () => undefined;
  const reply = run({ metadata: { cancel: 'me' } });
  const running = await until(
    async () => (await platform.call('GET', '/v1/runs?status=running')).body.items[0] as { id: string } | undefined,
  );
  const other = await platform.call('POST', `/v1/runs/${running.id}/cancel`, undefined, {
    key: platform.beta.ownerKey,
  });
  assert.equal(other.status, 404);
  const cancel = await platform.call('POST', `/v1/runs/${running.id}/cancel`);
  assert.equal(cancel.status, 202);
  const { status, body } = await reply;
  assert.equal(status, 409);
  assert.equal(body.code, 'run_cancelled');
  const again = await platform.call('POST', `/v1/runs/${running.id}/cancel`);
  assert.equal(again.status, 409);
  assert.equal(again.body.code, 'run_finished');
});

test('inputs and outputs lie in the database sealed only', async () => {
  script = (_, answer) => answer.say('the-secret-output');
  const { body } = await run({ input: 'the-secret-input' });
  const client = new pg.Client(platform.connection);
  await client.connect();
  try {
    const { rows } = await client.query(
      `select t::text as text, encode(payload, 'escape') as payload from pattern.finished t where id = $1`,
      [body.id],
    );
    assert.equal(rows.length, 1);
    assert.doesNotMatch(JSON.stringify(rows), /the-secret/);
    await client.query(
      'update pattern.finished set payload = (select payload from pattern.finished where id <> $1 and payload is not null limit 1) where id = $1',
      [body.id],
    );
  } finally {
    await client.end();
  }
  const moved = await platform.call('GET', `/v1/runs/${body.id}`);
  assert.equal(moved.status, 503, 'a payload that was moved from another row is not opened');
});

test('what picks the version is said once, and what does not exist is not found', async () => {
  await platform.call('POST', '/v1/patterns/greet/versions', { system: 'Greet {{name}} briefly.' });
  await platform.call('PUT', '/v1/patterns/greet/labels/first', { version: 1 });
  const say = async (fields: object) => (await run(fields)).body.version;
  assert.equal(await say({}), 2);
  assert.equal(await say({ version: 1 }), 1);
  assert.equal(await say({ label: 'first' }), 1);
  assert.equal(await say({ environment: 'development' }), 2);
  const twice = await run({ version: 1, label: 'first' });
  assert.equal(twice.status, 400);
  assert.equal(twice.body.pointer, '/label');
  for (const fields of [{ pattern: 'nothing' }, { version: 99 }, { label: 'none' }, { strategy: 'none' }]) {
    assert.equal((await run(fields)).status, 404, JSON.stringify(fields));
  }
  const production = await run({ environment: 'production' });
  assert.equal(production.status, 409);
  assert.equal(production.body.code, 'not_released');
  const unknown = await run({ model: 'nobody/nothing' });
  assert.equal(unknown.status, 404);
  assert.equal(unknown.body.code, 'model_not_found');
});

test('lists are paged without gap or repeat', async () => {
  for (let i = 0; i < 7; i++) await run({ metadata: { page: 'yes' } });
  const whole = (await platform.call('GET', '/v1/runs?limit=200')).body.items.map((item: { id: string }) => item.id);
  const paged: string[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await platform.call('GET', `/v1/runs?limit=3${cursor && `&cursor=${cursor}`}`);
    paged.push(...body.items.map((item: { id: string }) => item.id));
    if (!body.next) break;
    cursor = body.next;
  }
  assert.deepEqual(paged, whole);
});
