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
  platform = await startTestPlatform({ modelUrl: model.url });
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
