import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sendJson, sendProblem, startScriptedServer } from '../../sdk/test/scripted-server.ts';
import { makeFolder, runCli } from './run-cli.ts';
import { hasScript, typeOnTerminal } from './type-on-terminal.ts';

const id = '0199a000-0000-7000-8000-0000000000c1';
const me = {
  workspace: { id, name: 'default', created_at: '2026-11-22T10:00:00.000Z' },
  actor: { kind: 'key', id, name: 'ann', role: 'author' },
  permissions: ['run:execute'],
};

function keyServer() {
  return startScriptedServer(({ headers }, response) => {
    if (headers.authorization === 'Bearer dmk_good') return sendJson(response, 200, me);
    sendProblem(response, 401, 'unauthenticated');
  });
}

const free = { DAMASK_API_KEY: '', DAMASK_URL: '' };
const fileOf = (home: string) => join(home, '.config', 'damask', 'credentials.json');

test('a key is tried, kept for its owner only, and its server is the one that commands use', async () => {
  await using server = await keyServer();
  const home = makeFolder();
  mkdirSync(join(home, '.config', 'damask'), { recursive: true });
  const own = { url: server.url, api_key: 'dmk_owner', data_dir: '/data' };
  writeFileSync(fileOf(home), JSON.stringify({ theirs: 1, instances: { own } }), { mode: 0o600 });
  const done = await runCli(['login', '--url', `${server.url}/`], { home, env: free, input: 'dmk_good\n' });
  assert.deepEqual([done.code, done.stdout], [0, `Logged in to ${server.url} as ann (author) of workspace default.\n`]);
  assert.equal(statSync(fileOf(home)).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(readFileSync(fileOf(home), 'utf8')), {
    theirs: 1,
    current: server.url,
    instances: { own, [`login ${server.url}`]: { url: server.url, api_key: 'dmk_good', data_dir: null } },
  });
  const status = await runCli(['login', '--status'], { home, env: free });
  assert.match(status.stdout, /as ann \(author\).*credentials\.json/);
  assert.doesNotMatch(status.stdout + done.stdout + done.stderr, /dmk_good/);
  assert.equal((await runCli(['logout'], { home, env: free })).code, 0);
  assert.deepEqual(JSON.parse(readFileSync(fileOf(home), 'utf8')), { theirs: 1, instances: { own } });
});

test('a key that does not work is not kept', async () => {
  await using server = await keyServer();
  const home = makeFolder();
  const bad = await runCli(['login', '--url', server.url], { home, env: free, input: 'dmk_bad' });
  assert.equal(bad.code, 4);
  assert.equal((await runCli(['login', '--url', server.url], { home, env: free, input: '' })).code, 6);
  assert.match((await runCli(['login'], { home, env: free })).stderr, /Which server\? For example/);
  assert.ok(!existsSync(fileOf(home)));
  const status = await runCli(['login', '--status'], { home, env: free });
  assert.deepEqual([status.code, /Log in: damask login --url/.test(status.stderr)], [5, true]);
});

test('on a terminal both are asked for, and the key is not shown', hasScript, async () => {
  await using server = await keyServer();
  const home = makeFolder();
  const shown = await typeOnTerminal('damask login', { home, env: free }, [
    ['Address of the server', `xx\x7f\x7f${server.url}\r`],
    ['Key (dmk_...)', 'dmk_gooo\x7fd\r'],
  ]);
  assert.match(shown, /Logged in to http/);
  assert.doesNotMatch(shown, /dmk_g/);
  const given = await typeOnTerminal('damask login; echo code $?', { home, env: free }, [['Address', '\x03']]);
  assert.match(given, /interrupted[\s\S]*code 130/);
});
