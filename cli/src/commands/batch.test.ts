import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sendJson, startScriptedServer } from '../../../sdk/test/scripted-server.ts';
import { runCli } from '../../test/run-cli.ts';

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'damask-batch-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const id = '01a207ae-d323-7000-92e0-9b13a6701e4c';

function batch(fields: object = {}, lines: object = {}) {
  const counts = { total: 2, rejected: 0, waiting: 0, running: 0, succeeded: 2, failed: 0, cancelled: 0, shared: 0 };
  const ended = { status: 'finished', reason: null, finished_at: '2026-11-23T09:00:00.000Z', rate: 4 };
  const cost = { cost_micros: 1_200, unpriced: 0, estimated_end: null, created_at: '2026-11-23T08:59:00.000Z' };
  const none = { environment: null, label: null, strategy: null, model: null, start_at: null, deadline: null };
  const usage = { input_tokens: 22, output_tokens: 14 };
  return {
    id,
    usage,
    ...none,
    pattern: 'summarize',
    version: 3,
    ...ended,
    ...cost,
    ...fields,
    lines: { ...counts, ...lines },
  };
}

const result = (line: number) => `${JSON.stringify({ line, status: 'succeeded', output: `answer ${line}` })}\n`;

/** Its results break off once in the middle. */
async function batchServer(made = batch()) {
  let breaks = 1;
  return startScriptedServer(({ method, url }, response) => {
    if (method === 'POST') return sendJson(response, 202, made);
    if (!url.includes('/results')) return sendJson(response, 200, made);
    response.writeHead(200, { 'content-type': 'application/jsonl', 'x-request-id': 'r' });
    if (url.includes('after=3')) return response.end();
    if (url.includes('after=2')) return response.end(result(3));
    response.write(`${result(2)}{"line":3,"sta`);
    if (breaks-- > 0) setTimeout(() => response.destroy(), 50);
    else response.end(result(3).slice(14));
  });
}

test('a file is sent as it is, and its results go to a file, also when the connection breaks meanwhile', async () => {
  await using server = await batchServer();
  const [lines, out] = [join(folder, 'in.csv'), join(folder, 'out.jsonl')];
  await writeFile(lines, 'input\none\ntwo\n');
  const done = await runCli(['batch', 'summarize', lines, '-o', out, '-t', '0', '--valid'], { url: server.url });
  assert.deepEqual([done.code, done.stdout], [0, ''], done.stderr);
  assert.match(done.stderr, /2 lines accepted/);
  assert.match(done.stderr, /finished: 2 of 2 lines, \$0\.0012/);
  assert.equal(await readFile(out, 'utf8'), result(2) + result(3));
  const [sent] = server.seen;
  assert.equal(sent?.body, 'input\none\ntwo\n');
  assert.equal(sent?.headers['content-type'], 'text/csv');
  const query = new URL(sent?.url ?? '', 'http://x').searchParams;
  assert.deepEqual(Object.fromEntries(query), {
    pattern: 'summarize',
    accept: 'valid',
    parameters: '{"temperature":0}',
  });
});

test('lines come from the standard input, and a detached batch prints its id alone', async () => {
  await using server = await batchServer();
  const args = ['batch', 'summarize', '-', '--format', 'jsonl', '--detach'];
  const done = await runCli(args, { url: server.url, input: '{"input":"one"}\n' });
  assert.deepEqual([done.code, done.stdout], [0, `${id}\n`], done.stderr);
  assert.equal(server.seen[0]?.headers['content-type'], 'application/jsonl');
  const untold = await runCli(['batch', 'summarize', '-'], { url: server.url, input: 'x' });
  assert.equal(untold.code, 2);
  assert.match(untold.stderr, /--format csv or jsonl/);
  const missing = await runCli(['batch', 'summarize', join(folder, 'none.csv')], { url: server.url });
  assert.equal(missing.code, 5);
});

test('a batch with lines that failed ends with 1 and says where they are told', async () => {
  await using server = await batchServer(batch({}, { succeeded: 1, failed: 1 }));
  const done = await runCli(['batch', 'summarize', '-', '--format', 'csv'], { url: server.url, input: 'input\nx\n' });
  assert.deepEqual([done.code, done.stdout], [1, result(2) + result(3)]);
  assert.match(done.stderr, new RegExp(`1 failed.*damask batch errors ${id}`, 's'));
});

test('batches are listed, shown and controlled', async () => {
  const paused = batch({ status: 'paused', reason: 'The provider refused its key.', finished_at: null });
  await using server = await startScriptedServer(({ url }, response) =>
    sendJson(response, 200, /\/v1\/batches(\?|$)/.test(url) ? { items: [paused] } : paused),
  );
  const listed = await runCli(['batches'], { url: server.url });
  assert.match(listed.stdout, new RegExp(`${id} .*summarize@3 +paused +2 +2 +0`));
  const shown = await runCli(['batch', 'show', id.slice(-12)], { url: server.url });
  assert.match(shown.stdout, /Reason +The provider refused its key\./);
  const resumed = await runCli(['batch', 'resume', 'last'], { url: server.url });
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.deepEqual([server.seen.at(-1)?.method, server.seen.at(-1)?.url], ['POST', `/v1/batches/${id}/resume`]);
});
