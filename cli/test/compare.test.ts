import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { finishedRun, sendProblem, sseFrame, startScriptedServer } from '../../sdk/test/scripted-server.ts';
import { makeFolder, runCli } from './run-cli.ts';

/** Answers as each model would: one well, one with a failure, one not at all. */
function modelServer() {
  return startScriptedServer(({ body }, response) => {
    const { model, pattern } = JSON.parse(body || '{}');
    if (pattern === 'none' || body === '') return sendProblem(response, 404, 'not_found');
    if (model === 'a/unknown') return sendProblem(response, 404, 'model_not_found');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sseFrame('output.delta', 3, { text: 'half' }));
    if (model !== 'a/broken')
      return response.end(sseFrame('run.succeeded', 8, finishedRun({ model, output: `By ${model}.` })));
    const error = { code: 'provider_error', detail: 'It said no.' };
    response.end(
      sseFrame('run.failed', 4, finishedRun({ status: 'failed', model, error, output: 'half', cost_micros: null })),
    );
  });
}

test('several models run at once and are shown with their figures and answers', async () => {
  await using server = await modelServer();
  const file = join(makeFolder(), 'all.md');
  const args = ['run', 'summarize', '-m', 'a/good', '-m', 'a/other', '-m', 'a/good', '-o', file];
  const done = await runCli(args, { url: server.url, input: 'mail' });
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(
    done.stdout
      .split('\n')
      .slice(0, 3)
      .map((line) => line.split(/ {2,}/).slice(0, 8)),
    [
      ['MODEL', 'STATUS', 'FIRST', 'TOTAL', 'IN', 'OUT', 'COST', 'RUN'],
      ['a/good', 'succeeded', '211 ms', '1.3 s', '120', '34', '$0.001234', finishedRun().id],
      ['a/other', 'succeeded', '211 ms', '1.3 s', '120', '34', '$0.001234', finishedRun().id],
    ],
  );
  assert.match(done.stdout, /\n\n--- a\/good\nBy a\/good\.\n\n--- a\/other\nBy a\/other\.\n$/);
  assert.equal(readFileSync(file, 'utf8'), '--- a/good\nBy a/good.\n\n--- a/other\nBy a/other.\n');
  assert.equal(server.seen.length, 2);
});

test('a model that fails is a row, and the exit code says so; --json is a list', async () => {
  await using server = await modelServer();
  const models = ['-m', 'a/good', '-m', 'a/broken', '-m', 'a/unknown'];
  const done = await runCli(['run', 'summarize', ...models], { url: server.url, input: 'mail' });
  assert.equal(done.code, 1);
  assert.match(done.stdout, /^a\/broken +provider_error .* unknown /m);
  assert.match(done.stdout, /^a\/unknown +model_not_found +- +- +- +- +- +-$/m);
  assert.match(done.stdout, /--- a\/broken\nhalf\n\(provider_error: It said no\.\)\n/);
  const json = await runCli(['run', 'summarize', ...models, '--json'], { url: server.url, input: 'mail' });
  assert.deepEqual(
    JSON.parse(json.stdout).map(({ status, model }: { status: string; model: string }) => [status, model]),
    [
      ['succeeded', 'a/good'],
      ['failed', 'a/broken'],
      ['failed', 'a/unknown'],
    ],
  );
});

test('what has to be mended first ends a comparison, and what cannot be compared is refused', async () => {
  await using server = await modelServer();
  const two = ['-m', 'a/good', '-m', 'a/other'];
  const missing = await runCli(['run', 'none', ...two], { url: server.url, input: 'mail' });
  assert.deepEqual([missing.code, missing.stdout], [5, '']);
  const seen = server.seen.length;
  for (const [flag, reason] of [
    [['--session', 's'], /session goes on with one answer/],
    [['--idempotency-key', 'k'], /key is that of one run/],
    [['--dry-run'], /--dry-run takes one model/],
    [Array.from({ length: 8 }, (_, i) => `-m=x/${i}`), /too many to compare/],
  ] as const) {
    const done = await runCli(['run', 'summarize', ...two, ...flag], { url: server.url, input: 'mail' });
    assert.equal(done.code, 2, done.stderr);
    assert.match(done.stderr, reason);
  }
  assert.equal(server.seen.length, seen);
});
