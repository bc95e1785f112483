import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  finishedRun,
  runId,
  sendJson,
  sendProblem,
  sseFrame,
  startScriptedServer,
} from '../../../sdk/test/scripted-server.ts';
import { runCli } from '../../test/run-cli.ts';

const queued = finishedRun({
  status: 'queued',
  output: null,
  finished_at: null,
  queue: { priority: 'bulk', ready_at: null, deadline: null, deliveries: 2, why: 'approval' },
});

async function queueServer() {
  return startScriptedServer(({ method, url, body }, response) => {
    if (url.includes('/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(sseFrame('run.accepted', 0, { id: runId, pattern: 'summarize', version: 3, model: 'local/m' }));
      response.write(sseFrame('output.delta', 3, { text: 'A l' }));
      response.write(sseFrame('output.restarted', 0, {}));
      response.write(sseFrame('output.delta', 15, { text: 'A short answer.' }));
      response.end(sseFrame('run.succeeded', 15, finishedRun({ output: 'A short answer.' })));
    } else if (method === 'POST' && url.endsWith('/decisions') && body.includes('reject')) {
      sendProblem(response, 409, 'not_waiting');
    } else if (method === 'POST') sendJson(response, url.endsWith('/decisions') ? 200 : 202, queued);
    else if (url.includes('rerun_of')) sendJson(response, 200, { items: [] });
    else if (url.startsWith('/v1/runs?')) sendJson(response, 200, { items: [queued] });
    else sendJson(response, 200, queued);
  });
}

test('a run is queued, and its id alone goes to stdout', async () => {
  await using server = await queueServer();
  const args = [
    'run',
    'summarize',
    '--async',
    '--bulk',
    '--at',
    '2026-12-01T06:00Z',
    '--deadline',
    '2026-12-02T06:00Z',
  ];
  const done = await runCli(args, { url: server.url, input: 'the mail\n' });
  assert.deepEqual(done, { code: 0, stdout: `${runId}\n`, stderr: '' });
  assert.deepEqual(JSON.parse(server.seen[0]?.body ?? ''), {
    pattern: 'summarize',
    input: 'the mail\n',
    mode: 'async',
    priority: 'bulk',
    start_at: '2026-12-01T06:00:00.000Z',
    deadline: '2026-12-02T06:00:00.000Z',
  });
});

test('what does not go with a queued run is refused before anything is sent', async () => {
  await using server = await queueServer();
  for (const flags of [['--async', '-o', 'x.txt'], ['--bulk'], ['--async', '--at', 'soon']]) {
    const done = await runCli(['run', 'summarize', ...flags], { url: server.url, input: 'x' });
    assert.equal(done.code, 2, flags.join(' '));
    assert.equal(done.stdout, '');
  }
  assert.equal(server.seen.length, 0);
});

test('a run is watched to its end, and a text that begins anew is told', async () => {
  await using server = await queueServer();
  const done = await runCli(['watch', runId], { url: server.url });
  assert.equal(done.code, 0);
  assert.equal(done.stdout, 'A l\nA short answer.\n');
  assert.match(done.stderr, /begins anew/);
});

test('runs are cancelled, retried and decided by name', async () => {
  await using server = await queueServer();
  const cancelled = await runCli(['cancel', runId], { url: server.url });
  assert.deepEqual([cancelled.code, server.seen.at(-1)?.url], [0, `/v1/runs/${runId}/cancel`]);
  const retried = await runCli(['retry', runId, '--bulk'], { url: server.url });
  assert.deepEqual([retried.code, retried.stdout], [0, `${runId}\n`]);
  assert.deepEqual(JSON.parse(server.seen.at(-1)?.body ?? ''), { priority: 'bulk' });
  const dead = await runCli(['retry', '--dead'], { url: server.url });
  assert.deepEqual([dead.code, dead.stdout], [0, `${runId}\n`]);
  assert.ok(server.seen.some(({ url }) => url.includes('dead=true')));
  assert.equal((await runCli(['retry'], { url: server.url })).code, 2);
  const decided = await runCli(['decide', runId, 'approve', '--step', 'agreed', '--comment', 'Fine.'], {
    url: server.url,
  });
  assert.equal(decided.code, 0);
  assert.deepEqual(JSON.parse(server.seen.at(-1)?.body ?? ''), {
    decision: 'approve',
    step: 'agreed',
    comment: 'Fine.',
  });
  const refused = await runCli(['decide', runId, 'reject'], { url: server.url });
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /not_waiting/);
  assert.equal((await runCli(['decide', runId, 'perhaps'], { url: server.url })).code, 2);
});

test('lists of queued and of dead runs ask for them, and a run shows where it stands', async () => {
  await using server = await queueServer();
  await runCli(['runs', '--status', 'queued'], { url: server.url });
  assert.match(server.seen.at(-1)?.url ?? '', /status=queued/);
  await runCli(['runs', '--dead'], { url: server.url });
  assert.match(server.seen.at(-1)?.url ?? '', /dead=true/);
  const shown = await runCli(['runs', 'show', runId], { url: server.url });
  assert.match(shown.stdout, /bulk, waits for approval, 2 processes died with it/);
});

test('the queue is shown, and its limit set and lifted', async () => {
  const put: unknown[] = [];
  const now = { interactive: 2, bulk: 12_000, running: 64, waiting: 1, concurrency: null };
  await using server = await startScriptedServer(({ method, body }, response) => {
    const change = method === 'PUT' ? JSON.parse(String(body)) : {};
    if (method === 'PUT') put.push(change);
    sendJson(response, 200, { ...now, ...change });
  });
  const queue = (...args: string[]) => runCli(['queue', ...args], { url: server.url });
  assert.match(
    (await queue()).stdout,
    /Queued +2 interactive, 12000 bulk\nRunning +64\nWaiting +1 for a person\nAt a time +as many as/,
  );
  assert.match((await queue('--concurrency', '20')).stdout, /At a time +20/);
  assert.equal(JSON.parse((await queue('--concurrency', 'any', '--json')).stdout).concurrency, null);
  assert.deepEqual(put, [{ concurrency: 20 }, { concurrency: null }]);
  for (const bad of ['0', '-1', '1.5', 'many']) assert.equal((await queue('--concurrency', bad)).code, 2, bad);
});
