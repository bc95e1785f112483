import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { finishedRun, runId, sendJson, sseFrame, startScriptedServer } from '../../../sdk/test/scripted-server.ts';
import { runCli } from '../../test/run-cli.ts';

const step = (path: string, fields: object = {}) => ({
  path,
  state: 'succeeded',
  waits_for: null,
  until: null,
  pattern: 'summarize',
  version: 3,
  model: 'local/m',
  attempts: [{}],
  usage: { input_tokens: 7, output_tokens: 5, cached_input_tokens: null, reasoning_tokens: null },
  cost_micros: 12,
  error: null,
  output: `what ${path} said`,
  started_at: '2026-11-23T10:00:00.000Z',
  finished_at: '2026-11-23T10:00:01.500Z',
  ...fields,
});

async function chainServer() {
  return startScriptedServer(({ url }, response) => {
    if (url.includes('/steps')) {
      const waiting = { state: 'waiting', waits_for: 'approval', pattern: null, attempts: [], output: 'Send it?' };
      const items = url.includes('cursor=more')
        ? [step('ok', { ...waiting, finished_at: null })]
        : [step('draft'), step('parts', { output: null }), step('parts[0]')];
      sendJson(response, 200, url.includes('cursor=more') ? { items } : { items, next: 'more' });
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sseFrame('run.accepted', 0, { id: runId, pattern: 'all', version: 1, model: '' }));
    response.write(sseFrame('step.changed', 0, { path: 'draft', state: 'succeeded' }));
    response.write(sseFrame('output.delta', 3, { text: 'End' }));
    response.end(sseFrame('run.succeeded', 3, finishedRun({ output: 'End' })));
  });
}

test('the steps of a run are listed over all pages, and the output of one alone', async () => {
  await using server = await chainServer();
  const listed = await runCli(['steps', runId], { url: server.url });
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /^draft +succeeded +summarize@3 +local\/m +1 +7 +5 +\S+ +1\.5 s$/m);
  assert.match(listed.stdout, /^ok +waiting +a person .*Send it\?$/m);
  const one = await runCli(['steps', runId, 'parts[0]', '--output'], { url: server.url });
  assert.deepEqual([one.code, one.stdout], [0, 'what parts[0] said']);
  assert.ok(server.seen.some(({ url }) => url.includes('path=parts%5B0%5D')));
  const parts = await runCli(['steps', runId, 'parts', '--output'], { url: server.url });
  assert.deepEqual([parts.code, parts.stdout], [5, '']);
  assert.match(parts.stderr, /no text of its own: its parts have. List them: damask steps \S+ parts$/m);
});

test('what is no terminal gets the answer of a chain and nothing of its steps', async () => {
  await using server = await chainServer();
  const done = await runCli(['run', 'all', '--stream'], { url: server.url, input: 'x' });
  assert.deepEqual(done, { code: 0, stdout: 'End\n', stderr: '' });
});

test('the folder of a new chain has a pattern.yaml alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'damask-new-chain-'));
  try {
    const done = await runCli(['new', 'check_mails', '--chain', '--dir', folder], { url: 'http://127.0.0.1:1' });
    assert.equal(done.code, 0, done.stderr);
    assert.deepEqual(readdirSync(join(folder, 'check_mails')), ['pattern.yaml']);
    assert.match(
      readFileSync(join(folder, 'check_mails', 'pattern.yaml'), 'utf8'),
      /^title: "Check mails"\n[\s\S]*^steps:$/m,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
