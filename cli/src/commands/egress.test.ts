import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendJson, startScriptedServer } from '../../../sdk/test/scripted-server.ts';
import { runCli } from '../../test/run-cli.ts';

const surfaces = [
  { surface: 'provider', allow: ['127.0.0.1:11434', '10.0.0.0/8'] },
  { surface: 'import', allow: [] },
];

async function startServer(told: object = {}) {
  const asked: unknown[] = [];
  const opened = await startScriptedServer(({ method, body }, response) => {
    if (method === 'POST') asked.push(JSON.parse(String(body)));
    sendJson(response, 200, method === 'POST' ? told : { surfaces });
  });
  return { opened, asked };
}

test('what may be called is listed for each kind of address', async () => {
  const { opened } = await startServer();
  await using server = opened;
  const { stdout, code } = await runCli(['egress'], { url: server.url });
  assert.equal(code, 0);
  assert.match(stdout, /provider +127\.0\.0\.1:11434, 10\.0\.0\.0\/8\nimport +-/);
  const { stdout: json } = await runCli(['egress', '--json'], { url: server.url });
  assert.deepEqual(JSON.parse(json), surfaces);
});

test('an address that would be refused is told with the reason, and fails a script', async () => {
  const { opened, asked } = await startServer({
    surface: 'import',
    verdict: 'denied',
    reason: '10.0.0.1 is not public.',
  });
  await using server = opened;
  const run = (...args: string[]) => runCli(['egress', 'check', ...args], { url: server.url });
  const denied = await run('https://10.0.0.1/x.git', '--surface', 'import');
  assert.deepEqual([denied.code, denied.stdout], [1, 'denied  10.0.0.1 is not public.\n']);
  assert.deepEqual(asked, [{ url: 'https://10.0.0.1/x.git', surface: 'import' }]);
  const wrong = await run('https://10.0.0.1', '--surface', 'webhooks');
  assert.deepEqual([wrong.code, asked.length], [2, 1]);
  assert.match(wrong.stderr, /--surface takes provider, identity_provider, import/);
});

test('an address that would be called is told so', async () => {
  const { opened } = await startServer({ surface: 'provider', verdict: 'allowed', reason: null });
  await using server = opened;
  const { stdout, code } = await runCli(['egress', 'check', 'https://example.com'], { url: server.url });
  assert.deepEqual([code, stdout], [0, 'allowed\n']);
});
