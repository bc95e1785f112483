import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  finishedRun,
  runId,
  sendJson,
  sendProblem,
  sseFrame,
  startScriptedServer,
} from '../../sdk/test/scripted-server.ts';
import { makeFolder, runCli } from './run-cli.ts';

const at = '2026-11-22T10:00:00.000Z';

test('contexts are put from a file or a pipe, listed, shown and removed', async () => {
  await using server = await startScriptedServer(({ method, url, body }, response) => {
    const context = { name: 'team', bytes: 9, updated_at: at };
    if (url.startsWith('/v1/contexts?')) return sendJson(response, 200, { items: [context] });
    if (url !== '/v1/contexts/team') return sendProblem(response, 404, 'not_found');
    sendJson(response, 200, method === 'GET' ? { ...context, content: 'about us\n' } : { ...context, body });
  });
  const { url } = server;
  const file = join(makeFolder(), 'us.md');
  writeFileSync(file, 'about us\n');
  assert.equal((await runCli(['contexts', 'put', 'team', file], { url })).stdout, 'team, 9 B\n');
  assert.deepEqual(JSON.parse(server.seen.at(-1)?.body ?? ''), { content: 'about us\n' });
  await runCli(['contexts', 'put', 'team'], { url, input: 'piped' });
  assert.deepEqual(JSON.parse(server.seen.at(-1)?.body ?? ''), { content: 'piped' });
  assert.equal((await runCli(['contexts', 'put', 'team'], { url, input: ' \n' })).code, 6);
  assert.match((await runCli(['contexts'], { url })).stdout, /^team +9 B +2026-11-22/m);
  assert.equal((await runCli(['--printcontext', 'team'], { url })).stdout, 'about us\n');
  const missing = await runCli(['contexts', 'rm', 'tem'], { url });
  assert.deepEqual([missing.code, /Did you mean 'team'/.test(missing.stderr)], [5, true]);
});

test('a run takes context, session, language and files; a conversation is shown by turns', async () => {
  await using server = await startScriptedServer(({ url }, response) => {
    if (url === '/v1/runs') return sendJson(response, 200, finishedRun());
    const turn = {
      number: 1,
      role: 'user',
      content: 'hi',
      attachments: [{ name: 'a.png' }],
      run: null,
      created_at: at,
    };
    sendJson(response, 200, { items: [turn, { ...turn, role: 'assistant', content: 'hello\n', attachments: [] }] });
  });
  const file = join(makeFolder(), 'a.txt');
  writeFileSync(file, 'text');
  const args = ['-p', 'summarize', '-C', 'team', '--session', 's1', '-g', 'de', '-a', file, '--thinking', 'off'];
  const more = ['--cache', 'refresh', '--subject', 'ann', '--idempotency-key', 'k1'];
  await runCli([...args, ...more], { url: server.url, input: 'x' });
  assert.deepEqual(JSON.parse(server.seen[0]?.body ?? ''), {
    pattern: 'summarize',
    input: 'x',
    stream: false,
    context: 'team',
    session: 's1',
    language: 'de',
    attachments: [{ type: 'text', name: 'a.txt', text: 'text' }],
    parameters: { reasoning_effort: 'none' },
    cache: 'refresh',
    subject: 'ann',
    idempotency_key: 'k1',
  });
  const shown = await runCli(['sessions', 'show', 's1'], { url: server.url });
  assert.equal(shown.stdout, '--- user (a.png)\nhi\n--- assistant\nhello\n');
});

test('a run is run again with what was named, and tells of a deprecated pattern', async () => {
  const deprecated = { successor: 'sum_up', message: 'Too long', at };
  await using server = await startScriptedServer(({ url, body }, response) => {
    if (url.startsWith('/v1/runs?')) return sendJson(response, 200, { items: [finishedRun()] });
    if (!body.includes('"stream":true')) return sendJson(response, 200, finishedRun({ deprecated }));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const { model } = JSON.parse(body);
    response.end(sseFrame('run.succeeded', 3, finishedRun({ model, output: `By ${model}` })));
  });
  const { url } = server;
  const once = await runCli(['rerun', 'last', '-v', 'tone=dry', '-m', 'a/b'], { url });
  assert.deepEqual([once.code, once.stdout], [0, 'A short answer.\n'], once.stderr);
  assert.match(once.stderr, /summarize is deprecated\. Too long\. Use sum_up instead: damask run sum_up/);
  const { url: path, body = '' } = server.seen.at(-1) ?? {};
  assert.equal(path, `/v1/runs/${runId}/rerun`);
  assert.deepEqual(JSON.parse(body), { variables: { tone: 'dry' }, model: 'a/b', stream: false });
  const compared = await runCli(['rerun', runId, '-m', 'a/b', '-m', 'c/d'], { url });
  assert.match(compared.stdout, /--- a\/b\nBy a\/b\n\n--- c\/d\nBy c\/d\n$/);
  assert.equal((await runCli(['rerun', 'nonsense'], { url })).code, 5);
});

test('history lists versions or moves of labels, and a pattern is deprecated and back', async () => {
  await using server = await startScriptedServer(({ url }, response) => {
    if (url.includes('label-moves')) {
      const move = { label: 'stable', before: 1, after: 2, moved_at: at, moved_by: null, author: 'ann' };
      return sendJson(response, 200, { items: [move] });
    }
    if (!url.includes('versions')) return sendJson(response, 200, { name: 'summarize' });
    const version = { version: 2, created_at: at, labels: ['stable'], source: { kind: 'api' }, message: 'Shorter' };
    sendJson(response, 200, { items: [version] });
  });
  const { url } = server;
  assert.match((await runCli(['history', 'summarize'], { url })).stdout, /2 +2026-11-22.* stable +api +Shorter/);
  assert.match((await runCli(['history', 'summarize', '--labels'], { url })).stdout, /stable +1 → 2 +ann/);
  await runCli(['deprecate', 'summarize', '--successor', 'sum_up'], { url });
  assert.deepEqual([server.seen.at(-1)?.method, server.seen.at(-1)?.body], ['PUT', '{"successor":"sum_up"}']);
  assert.match((await runCli(['deprecate', 'summarize', '--undo'], { url })).stderr, /no longer deprecated/);
  assert.equal(server.seen.at(-1)?.method, 'DELETE');
});
