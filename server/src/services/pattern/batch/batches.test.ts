import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '#platform/clock.ts';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { type Reply, startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let script: Script | undefined;

const echo: Script = (call, answer) => answer.say(`Said: ${call.messages.at(-1)?.content}`);

before(async () => {
  model = await startModelServer((call, answer) => (script ?? echo)(call, answer));
  platform = await startTestPlatform({
    modelUrl: model.url,
    environment: {
      DAMASK_EGRESS_ALLOW: new URL(model.url).host,
      DAMASK_BATCH_LINES: '400',
      DAMASK_BATCH_BYTES: '6000000',
    },
  });
  await publish('say', 'Say it.', 'model: openai/test\n');
  await publish(
    'tell',
    'Tell it in a {{tone}} way.',
    'model: openai/test\nvariables:\n  tone: {type: enum, values: [calm, loud]}\n',
  );
});
afterEach(() => {
  script = undefined;
});
after(async () => {
  await platform.stop();
  await model.close();
});

async function publish(name: string, system: string, yaml: string) {
  const files = [
    { path: 'system.md', content: system },
    { path: 'pattern.yaml', content: yaml },
  ];
  const made = await platform.call('POST', '/v1/patterns', { name, files });
  assert.equal(made.status, 201, made.text);
}

const create = (fields: object, options?: Parameters<TestPlatform['call']>[3]) =>
  platform.call('POST', '/v1/batches', { pattern: 'say', model: 'openai/test', ...fields }, options);

function upload(body: string | Buffer, query: Record<string, string>, type = 'text/csv', headers = {}): Promise<Reply> {
  const fields = new URLSearchParams({ pattern: 'say', model: 'openai/test', ...query });
  return platform.call('POST', `/v1/batches?${fields}`, body.toString(), {
    headers: { 'content-type': type, ...headers },
  });
}

const read = async (batch: string) => (await platform.call('GET', `/v1/batches/${batch}`)).body;
async function results(batch: string, query = ''): Promise<string> {
  const headers = { authorization: `Bearer ${platform.alpha.ownerKey}` };
  return (await fetch(`${platform.url}/v1/batches/${batch}/results${query}`, { headers })).text();
}
const resultLines = async (batch: string, query = '') =>
  (await results(batch, query))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

async function until(batch: string, statuses: readonly string[] = ['finished', 'stopped', 'cancelled']) {
  for (let look = 0; ; look++) {
    const found = await read(batch);
    if (statuses.includes(found.status)) return found;
    assert.ok(look < 400, JSON.stringify(found));
    await systemClock.sleep(25);
  }
}

async function count(table: string, where = 'true'): Promise<number> {
  const client = new pg.Client(platform.connection);
  await client.connect();
  const { rows } = await client.query(`select count(*)::int as count from ${table} where ${where}`);
  await client.end();
  return rows[0].count;
}

test('a list of items is run, and its results come in input order as JSONL and as CSV', async () => {
  const items = ['one', 'two', '=SUM(A1)'].map((input, at) => ({ input, metadata: { id: `row-${at}` } }));
  const made = await create({ items, metadata: { project: 'x' } });
  assert.equal(made.status, 202, made.text);
  assert.equal(made.body.lines.total, 3);
  const ended = await until(made.body.id);
  assert.equal(ended.status, 'finished');
  assert.deepEqual([ended.lines.succeeded, ended.lines.failed, ended.lines.waiting], [3, 0, 0]);
  assert.equal(ended.usage.input_tokens, 33);
  const lines = await resultLines(ended.id);
  assert.deepEqual(
    lines.map(({ line, status, output, metadata }) => [line, status, output, metadata.id, metadata.project]),
    [
      [1, 'succeeded', 'Said: one', 'row-0', 'x'],
      [2, 'succeeded', 'Said: two', 'row-1', 'x'],
      [3, 'succeeded', 'Said: =SUM(A1)', 'row-2', 'x'],
    ],
  );
  const run = await platform.call('GET', `/v1/runs/${lines[1].run}`);
  assert.equal(run.body.batch, ended.id);
  assert.equal(run.body.input, 'two');
  const listed = await platform.call('GET', `/v1/runs?batch=${ended.id}`);
  assert.equal(listed.body.items.length, 3);
  const csv = await results(ended.id, '?format=csv&after=2');
  assert.match(csv, /^3,succeeded,Said: =SUM\(A1\),,,/);
  script = (_, answer) => answer.say('=1+1');
  const formula = await until((await create({ items: [{ input: 'x' }] })).body.id);
  assert.match(await results(formula.id, '?format=csv'), /^line,status,output,[^\n]*\r\n1,succeeded,"'=1\+1",/);
});

test('a CSV upload is checked line by line: all of it or, where the caller says so, without its bad lines', async () => {
  const csv = '\ufeffinput,tone\r\n"a, b",calm\r\nc,shrill\r\nd,loud\r\n"e"x,loud\r\n';
  const before = [await count('pattern.batch'), await count('pattern.batch_chunk'), model.calls.length];
  const refused = await upload(csv, { pattern: 'tell' });
  assert.equal(refused.status, 422, refused.text);
  assert.equal(refused.body.code, 'invalid_batch');
  assert.deepEqual(
    refused.body.problems.map(({ line, column, code }: Record<string, unknown>) => [line, column, code]),
    [
      [3, 3, 'invalid_variable'],
      [5, 4, 'invalid_line'],
    ],
  );
  const later = await upload(csv, { pattern: 'tell', dry_run: 'true', errors_after: '3' });
  assert.deepEqual(
    later.body.problems.map(({ line }: { line: number }) => line),
    [5],
  );
  assert.deepEqual([await count('pattern.batch'), await count('pattern.batch_chunk'), model.calls.length], before);
  const made = await upload(csv, { pattern: 'tell', accept: 'valid' }, 'text/csv; charset=utf-8');
  assert.equal(made.status, 202, made.text);
  assert.deepEqual([made.body.lines.total, made.body.lines.rejected], [4, 2]);
  const ended = await until(made.body.id);
  const lines = await resultLines(ended.id);
  assert.deepEqual(
    lines.map(({ line, status, output }) => [line, status, output]),
    [
      [2, 'succeeded', 'Said: a, b'],
      [3, 'rejected', null],
      [4, 'succeeded', 'Said: d'],
      [5, 'rejected', null],
    ],
  );
  const errors = await platform.call('GET', `/v1/batches/${ended.id}/errors?limit=1`);
  assert.deepEqual([errors.body.items[0].line, errors.body.items[0].status], [3, 'rejected']);
  const next = await platform.call('GET', `/v1/batches/${ended.id}/errors?limit=1&cursor=${errors.body.next}`);
  assert.deepEqual([next.body.items[0].line, next.body.next], [5, undefined]);
});

test('identical lines of a deterministic batch run once and share the answer at no cost', async () => {
  const calls = model.calls.length;
  const items = ['a', 'b', 'a', 'a'].map((input) => ({ input }));
  const made = await create({ items, parameters: { temperature: 0 } });
  assert.equal(made.body.deterministic, true);
  const ended = await until(made.body.id);
  assert.equal(model.calls.length - calls, 2);
  assert.deepEqual([ended.lines.succeeded, ended.lines.shared, ended.usage.input_tokens], [4, 2, 22]);
  const lines = await resultLines(ended.id);
  assert.deepEqual(
    lines.map(({ output, same_as, cost_micros }) => [output, same_as, cost_micros]),
    [
      ['Said: a', undefined, null],
      ['Said: b', undefined, null],
      ['Said: a', 1, 0],
      ['Said: a', 1, 0],
    ],
  );
  assert.equal(lines[3].run, lines[0].run);
  const apart = await until((await create({ items })).body.id);
  assert.deepEqual([apart.deterministic, apart.lines.shared, model.calls.length - calls], [false, 0, 6]);
});

test('a batch is paused, goes on, and is cancelled with the runs that are under way', async () => {
  const waiting = new Set<() => void>();
  script = async (call, answer) => {
    await new Promise<void>((resolve) => waiting.add(resolve));
    await echo(call, answer);
  };
  const items = Array.from({ length: 6 }, (_, at) => ({ input: `text ${at}` }));
  const batch = (await create({ items, concurrency: 2 })).body.id;
  for (let look = 0; waiting.size < 2; look++) {
    assert.ok(look < 400);
    await systemClock.sleep(25);
  }
  await systemClock.sleep(300);
  assert.equal(waiting.size, 2);
  const paused = await platform.call('POST', `/v1/batches/${batch}/pause`);
  assert.equal(paused.body.status, 'paused');
  script = undefined;
  for (const go of waiting) go();
  for (let look = 0; (await read(batch)).lines.running > 0; look++) {
    assert.ok(look < 400);
    await systemClock.sleep(25);
  }
  const held = await read(batch);
  assert.deepEqual([held.lines.succeeded, held.lines.waiting], [2, 4]);
  assert.equal((await resultLines(batch)).length, 2);
  waiting.clear();
  script = () => undefined;
  const abandoned = model.abandoned;
  const resumed = await platform.call('POST', `/v1/batches/${batch}/resume`);
  assert.equal(resumed.body.status, 'running');
  for (let look = 0; (await read(batch)).lines.running < 2; look++) {
    assert.ok(look < 400);
    await systemClock.sleep(25);
  }
  await systemClock.sleep(200);
  const cancelled = await platform.call('POST', `/v1/batches/${batch}/cancel`);
  assert.equal(cancelled.status, 202, cancelled.text);
  const ended = await until(batch);
  assert.deepEqual([ended.status, ended.lines.succeeded, ended.lines.cancelled], ['cancelled', 2, 4]);
  assert.equal(model.abandoned - abandoned, 2);
  const lines = await resultLines(batch);
  assert.deepEqual(
    lines.map(({ line, status }) => [line, status]),
    [1, 2, 3, 4, 5, 6].map((line) => [line, line < 3 ? 'succeeded' : 'cancelled']),
  );
  const again = await platform.call('POST', `/v1/batches/${batch}/resume`);
  assert.deepEqual([again.status, again.body.code], [409, 'batch_finished']);
});

test('a pause that meets a deadlock with runs that are let go of is tried again', async () => {
  script = () => undefined;
  await platform.call('PUT', '/v1/queue', { concurrency: 1 });
  const batch = (await create({ items: [{ input: 'a' }, { input: 'b' }, { input: 'c' }] })).body.id;
  for (let look = 0; (await count('pattern.task', `batch = '${batch}' and state = 'queued'`)) < 2; look++) {
    assert.ok(look < 400);
    await systemClock.sleep(25);
  }
  const client = new pg.Client(platform.connection);
  await client.connect();
  const { rows } = await client.query(
    `select id from pattern.task where batch = '${batch}' and state = 'queued' order by ctid`,
  );
  const touch = (id: string) => client.query('update pattern.task set why = why where id = $1', [id]);
  await client.query('begin');
  await touch(rows.at(-1).id);
  const pausing = platform.call('POST', `/v1/batches/${batch}/pause`);
  await systemClock.sleep(200);
  await touch(rows[0].id);
  await client.query('commit');
  await client.end();
  const paused = await pausing;
  assert.deepEqual([paused.status, paused.body.status], [200, 'paused'], paused.text);
  await platform.call('POST', `/v1/batches/${batch}/cancel`);
  await until(batch);
  await platform.call('PUT', '/v1/queue', { concurrency: null });
});

test('a line that fails is told and leaves the others alone, or stops the batch where that was asked for', async () => {
  script = async (call, answer) => {
    if (call.messages.at(-1)?.content === 'bad') answer.response.writeHead(400).end('{"error":{"message":"no"}}');
    else await echo(call, answer);
  };
  const items = ['good', 'bad', 'fine'].map((input) => ({ input }));
  const ended = await until((await create({ items })).body.id);
  assert.deepEqual([ended.status, ended.lines.succeeded, ended.lines.failed], ['finished', 2, 1]);
  const { body } = await platform.call('GET', `/v1/batches/${ended.id}/errors`);
  assert.deepEqual([body.items.length, body.items[0].line, body.items[0].status], [1, 2, 'failed']);
  assert.ok(body.items[0].run && body.items[0].detail);
  const stopped = await until((await create({ items, on_error: 'stop', concurrency: 1 })).body.id);
  assert.deepEqual([stopped.status, stopped.reason], ['stopped', 'Line 2 failed.']);
  assert.deepEqual([stopped.lines.succeeded, stopped.lines.failed, stopped.lines.cancelled], [1, 1, 1]);
});

test('a key that the provider refuses pauses the batch once; its lines run again when it goes on', async () => {
  const setKey = (key: string) => platform.call('PUT', '/v1/providers/lab', { base_url: model.url, api_key: key });
  assert.equal((await setKey('sk-old')).status, 200);
  script = async (call, answer) => {
    if (call.authorization === 'Bearer sk-old') answer.response.writeHead(401).end('{"error":{"message":"bad key"}}');
    else await echo(call, answer);
  };
  const items = Array.from({ length: 30 }, (_, at) => ({ input: `text ${at}` }));
  const batch = (await create({ items, concurrency: 5, model: 'lab/x' })).body.id;
  const paused = await until(batch, ['paused']);
  assert.match(paused.reason, /refused its key/);
  assert.equal(paused.lines.failed, 0);
  assert.equal((await setKey('sk-new')).status, 200);
  await platform.call('POST', `/v1/batches/${batch}/resume`);
  const ended = await until(batch, ['finished', 'paused']);
  assert.deepEqual([ended.status, ended.lines.succeeded, ended.lines.failed], ['finished', 30, 0]);
  assert.equal((await resultLines(batch)).length, 30);

  // All lines of a small batch met the refusal: nothing else is open when they run again.
  assert.equal((await setKey('sk-old')).status, 200);
  const small = (await create({ items: items.slice(0, 3), model: 'lab/x' })).body.id;
  await until(small, ['paused']);
  assert.equal((await setKey('sk-new')).status, 200);
  await platform.call('POST', `/v1/batches/${small}/resume`);
  const last = await until(small, ['finished', 'paused']);
  assert.deepEqual([last.status, last.lines.succeeded, last.lines.cancelled], ['finished', 3, 0]);
});

test('a key takes a batch once, whatever way its lines come; another body is refused', async () => {
  const headers = { 'idempotency-key': 'batch-1' };
  const csv = 'input\none\ntwo\n';
  const first = await upload(csv, {}, 'text/csv', headers);
  assert.equal(first.status, 202, first.text);
  const again = await upload(csv, {}, 'text/csv', headers);
  assert.deepEqual([again.status, again.body.id, again.body.replayed], [202, first.body.id, true]);
  const other = await upload(`${csv}three\n`, {}, 'text/csv', headers);
  assert.deepEqual([other.status, other.body.code], [422, 'idempotency_key_reused']);
  const asItems = await create({ items: [{ input: 'one' }] }, { headers });
  assert.deepEqual([asItems.status, asItems.body.code], [422, 'idempotency_key_reused']);
  const many = await Promise.all(
    Array.from({ length: 5 }, () => upload(csv, {}, 'text/csv', { 'idempotency-key': 'batch-2' })),
  );
  assert.equal(new Set(many.map(({ body }) => body.id)).size, 1, JSON.stringify(many.map(({ body }) => body)));
  for (const { body } of [first, many[0] as Reply]) await until(body.id);
});

test('what cannot be accepted is refused with the reason, and nothing is stored, run or left behind', async () => {
  const before = [await count('pattern.batch'), await count('pattern.claim'), model.calls.length];
  const refused: readonly (readonly [Promise<Reply>, number, string])[] = [
    [create({}), 400, 'invalid_request'],
    [create({ items: [] }), 400, 'invalid_request'],
    [create({ items: [{ input: ' ' }] }), 422, 'invalid_batch'],
    [create({ items: [{ input: 'x' }], pattern: 'nobody' }), 404, 'not_found'],
    [create({ items: [{ input: 'x' }], model: 'nobody/x' }), 404, 'model_not_found'],
    [create({ items: [{ input: 'x' }], deadline: '2020-01-01T00:00:00Z' }), 400, 'invalid_request'],
    [create({ items: [{ input: 'x' }], label: 'a', version: 1 }), 400, 'invalid_request'],
    [upload('', {}), 422, 'invalid_batch'],
    [upload('input\nx\n', { items: '[]' }), 400, 'invalid_request'],
    [upload('input\nx\n', { parameters: 'hot' }), 400, 'invalid_request'],
    [upload('input\nx\n', {}, 'application/gzip'), 415, 'unsupported_media_type'],
    [upload('input\nx\n', {}, 'text/csv', { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type'],
    [upload(`input\n${'x'.repeat(5_000_000)}\n`, {}), 422, 'invalid_batch'],
    [upload('input\nx\n', { nope: '1' }), 400, 'invalid_request'],
    [upload('PK\x03\x04', {}), 422, 'invalid_batch'],
    [upload(`input\n${'x\n'.repeat(401)}`, {}), 413, 'too_large'],
    [upload(`input\n${'x'.repeat(7_000_000)}\n`, {}), 413, 'too_large'],
    [create({ items: Array.from({ length: 401 }, () => ({ input: 'x' })) }), 413, 'too_large'],
  ];
  for (const [asked, status, code] of refused) {
    const reply = await asked;
    assert.deepEqual([reply.status, reply.body.code], [status, code], reply.text);
  }
  assert.deepEqual([await count('pattern.batch'), await count('pattern.claim'), model.calls.length], before);
});

test('an upload that breaks off leaves nothing, and one whose process died is removed by another', async () => {
  const before = await count('pattern.batch_chunk');
  const lines = `${JSON.stringify({ input: 'x'.repeat(50_000) })}\n`.repeat(20);
  const abort = new AbortController();
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from(lines));
    },
  });
  const sending = fetch(`${platform.url}/v1/batches?pattern=say&model=openai/test`, {
    method: 'POST',
    headers: { authorization: `Bearer ${platform.alpha.ownerKey}`, 'content-type': 'application/jsonl' },
    body,
    duplex: 'half',
    signal: abort.signal,
  } as RequestInit).catch(() => undefined);
  for (let look = 0; (await count('pattern.batch', "status = 'receiving'")) === 0; look++) {
    assert.ok(look < 400);
    await systemClock.sleep(25);
  }
  abort.abort();
  await sending;
  for (let look = 0; (await count('pattern.batch', "status = 'receiving'")) > 0; look++) {
    assert.ok(look < 400);
    await systemClock.sleep(25);
  }
  assert.equal(await count('pattern.batch_chunk'), before);
});

test('what is done to a batch leaves an audit row and an event; another workspace does not see it', async () => {
  const made = await create({ items: [{ input: 'x' }], start_at: new Date(Date.now() + 3_600_000).toISOString() });
  const { id } = made.body;
  assert.equal(made.body.status, 'queued');
  for (const act of ['pause', 'resume', 'cancel']) {
    assert.ok((await platform.call('POST', `/v1/batches/${id}/${act}`)).status < 300, act);
  }
  assert.equal((await until(id)).lines.cancelled, 1);
  assert.equal(await count('pattern.audit', `subject = 'batch/${id}'`), 4);
  assert.equal(await count('pattern.outbox', `data ->> 'batch' = '${id}'`), 5);
  for (const path of ['', '/results', '/errors']) {
    const reply = await platform.call('GET', `/v1/batches/${id}${path}`, undefined, { key: platform.beta.ownerKey });
    assert.deepEqual([reply.status, reply.body.code], [404, 'not_found'], path);
  }
  const viewer = await platform.keyFor('viewer');
  assert.equal((await create({ items: [{ input: 'x' }] }, { key: viewer })).status, 403);
});

test('two processes share a batch and no line runs twice; what a dead one was receiving is removed', async () => {
  const dead = '00000000-0000-7000-8000-000000000001';
  const client = new pg.Client(platform.connection);
  await client.connect();
  await client.query(
    `insert into pattern.batch (workspace, id, status, process, pattern, version, settings, plan, actor, created_at, ready_at)
     values ($1, $2, 'receiving', $2, 'say', 1, '{}', '', $2, now(), now())`,
    [platform.alpha.id, dead],
  );
  await client.end();
  const beside = await startTestPlatform({ modelUrl: model.url, beside: platform });
  try {
    const before = model.calls.length;
    const lines = Array.from({ length: 300 }, (_, at) => JSON.stringify({ input: `line ${at}` })).join('\n');
    const made = await upload(lines, { concurrency: '40' }, 'application/x-ndjson');
    const ended = await until(made.body.id);
    assert.equal(ended.lines.succeeded, 300);
    const asked = model.calls.slice(before).map(({ messages }) => messages.at(-1)?.content);
    assert.deepEqual([asked.length, new Set(asked).size], [300, 300]);
    assert.equal(await count('pattern.batch', `id = '${dead}'`), 0);
  } finally {
    await beside.stop();
  }
});

test('a batch whose lines cannot be decrypted is paused with what to do, and can be cancelled', async () => {
  const { id } = (await create({ items: [{ input: 'x' }], start_at: new Date(Date.now() + 3_600_000).toISOString() }))
    .body;
  const client = new pg.Client(platform.connection);
  await client.connect();
  await client.query(`update pattern.batch set ready_at = now(), plan = '\\x00' where id = $1`, [id]);
  await client.end();
  assert.match((await until(id, ['paused'])).reason, /cannot be decrypted/);
  await platform.call('POST', `/v1/batches/${id}/cancel`);
  assert.equal((await until(id)).status, 'cancelled');
});
