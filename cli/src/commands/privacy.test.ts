import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sendJson, sendProblem, startScriptedServer } from '../../../sdk/test/scripted-server.ts';
import { runCli } from '../../test/run-cli.ts';

test('a rule of retention takes the place of the one for exactly the same', async () => {
  const kept = {
    least_class: 'public',
    rules: [
      { of: 'runs', days: 90 },
      { of: 'runs', data_class: 'personal', days: 30 },
    ],
  };
  const put: unknown[] = [];
  await using server = await startScriptedServer(({ method, body }, response) => {
    if (method === 'PUT') put.push(JSON.parse(String(body)));
    sendJson(response, 200, { ...kept, updated_at: null });
  });
  const set = (...args: string[]) => runCli(['retention', 'set', ...args], { url: server.url });
  assert.equal((await set('runs', '--class', 'personal', '--days', '7')).code, 0);
  assert.equal((await set('runs', '--forever')).code, 0);
  assert.deepEqual(put, [
    {
      least_class: 'public',
      rules: [
        { of: 'runs', days: 90 },
        { of: 'runs', days: 7, data_class: 'personal' },
      ],
    },
    { least_class: 'public', rules: [{ of: 'runs', data_class: 'personal', days: 30 }] },
  ]);
  assert.equal((await set('audit', '--days', '7')).code, 2);
  assert.equal((await set('runs')).code, 2);
  const shown = await runCli(['retention'], { url: server.url });
  assert.match(shown.stdout, /runs +personal +all +30/);
});

test('a subject is exported to a file of its own, page by page, and erased only when that is confirmed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'damask-subject-'));
  const asked: Record<string, unknown>[] = [];
  const erasure = { id: 'e', state: 'running', hold: null, removed: { runs: 2, batch_lines: 1 }, cancelled: 0 };
  await using server = await startScriptedServer(({ method, url, body }, response) => {
    if (method === 'POST') asked.push(JSON.parse(String(body)));
    if (url.endsWith('/export')) {
      const first = asked.at(-1)?.cursor === undefined;
      sendJson(response, 200, {
        items: [{ kind: 'timer', timer: first ? 'a' : 'b' }],
        ...(first ? { next: 'x' } : {}),
      });
    } else if (asked.at(-1)?.subject === 'held') sendProblem(response, 409, 'on_hold');
    else
      sendJson(response, method === 'POST' ? 202 : 200, { ...erasure, state: method === 'POST' ? 'running' : 'done' });
  });
  const file = join(folder, 'ada.jsonl');
  const run = (...args: string[]) => runCli(['subject', ...args], { url: server.url });
  assert.equal((await run('export', 'ada', '-o', file)).code, 0);
  assert.match(await readFile(file, 'utf8'), /"a"[^\n]*\n[^\n]*"b"[^\n]*\n$/);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await run('erase', 'ada')).code, 2);
  assert.deepEqual(asked, [{ subject: 'ada' }, { subject: 'ada', cursor: 'x' }]);
  const erased = await run('erase', 'ada', '--confirm');
  assert.match(erased.stdout, /^e done: runs 2, batch lines 1/);
  assert.notEqual((await run('erase', 'held', '--confirm')).code, 0);
  await rm(folder, { recursive: true });
});
