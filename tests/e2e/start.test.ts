import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import {
  createCaller,
  type Home,
  leftOver,
  makeHome,
  readKey,
  runToEnd,
  type ServerProcess,
  startServer as start,
} from './server-process.ts';

let home: Home;
before(async () => {
  home = await makeHome();
});
after(() => home.remove());

const started: ServerProcess[] = [];
const startServer: typeof start = (...given) => {
  const server = start(...given);
  started.push(server);
  return server;
};
// A test that fails must not leave a server to the next one.
afterEach(() => {
  const alive = started.splice(0).filter(({ child }) => child.exitCode === null && child.signalCode === null);
  return Promise.all(alive.map((server) => server.stop()));
});

test('the first start makes a workspace and keeps its key for the command line; the end leaves nothing running', async () => {
  const server = startServer(home);
  const { url = '', instance = '' } = await server.event('ready');
  const key = await readKey(home, instance);
  assert.match(key, /^dmk_/);
  assert.equal((await stat(join(home.configDir, 'credentials.json'))).mode & 0o777, 0o600);
  assert.equal((await stat(join(home.configDir, 'master.key'))).mode & 0o777, 0o600);
  const call = createCaller(url, key);
  const { body } = await call('GET', '/v1/patterns');
  assert.deepEqual(
    body.items.map((item: { name: string }) => item.name),
    readdirSync(new URL('../../patterns', import.meta.url))
      .filter((name) => name !== 'strategies')
      .sort(),
  );
  const run = await call('POST', '/v1/runs', { pattern: 'summarize', input: 'hello' });
  assert.equal(run.status, 503);
  assert.equal(run.body.code, 'no_model');
  assert.match(run.body.detail, /OPENAI_API_KEY/);
  assert.equal(await server.stop(), 0);
  assert.deepEqual(leftOver(home), []);
});

test('a second start on the same data finds the first, says where, and ends well', async () => {
  const first = startServer(home);
  const { url } = await first.event('ready');
  const second = startServer(home);
  const told = await second.event('already-running');
  assert.equal(told.url, url);
  assert.equal(told.pid, first.child.pid);
  assert.equal(await second.exited, 0);
  assert.equal(await first.stop(), 0);
});

test('a server whose starter was killed stops by itself', async () => {
  const server = startServer(home, { leash: true });
  await server.event('ready');
  const exited = once(server.child, 'exit');
  server.child.disconnect();
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(leftOver(home), []);
});

test('a port that is taken is an error that names the way out', async () => {
  const blocker = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await new Promise((resolve) => blocker.once('listening', resolve));
  const { port } = blocker.address() as { port: number };
  const server = startServer(home, { environment: { DAMASK_PORT: String(port) } });
  const { message } = await server.event('error');
  assert.match(message ?? '', new RegExp(`127.0.0.1:${port} is taken.*DAMASK_PORT`));
  assert.equal(await server.exited, 1);
  await new Promise((resolve) => blocker.close(resolve));
});

test('settings that do not exist or cannot be read are all listed', async () => {
  const environment = {
    DAMASK_PROT: '1',
    DAMASK_POOL: 'x',
    DAMASK_CONCURRENCY: 'many',
    DAMASK_MODEL: 'gpt',
    DAMASK_EGRESS_ALLOW: '10.0.0.0/8, not/one',
    OPENAI_BASE_URL: 'localhost:8000',
    OLLAMA_HOST: 'my host',
  };
  const server = startServer(home, { environment });
  const { message = '' } = await server.event('error');
  assert.match(message, /DAMASK_MODEL must be written like openai\/gpt-5-mini/);
  assert.match(message, /DAMASK_EGRESS_ALLOW must be CIDRs, .*; "not\/one" is none/);
  assert.match(message, /OPENAI_BASE_URL must be an address such as https:/);
  assert.match(message, /OLLAMA_HOST must be an address such as 127.0.0.1:11434/);
  assert.match(message, /DAMASK_PROT is not a setting/);
  assert.match(message, /DAMASK_CONCURRENCY must be a whole number/);
  assert.equal(await server.exited, 2);
});

test('A-15: a secret that is short or stayed as in an example starts nothing', async () => {
  for (const secret of ['changeme', 'changeme'.repeat(8), 'x'.repeat(64)]) {
    const server = startServer(home, { environment: { DAMASK_SERVICE_SECRET: secret } });
    const { message = '' } = await server.event('error', 'ready');
    assert.match(message, /DAMASK_SERVICE_SECRET must be 32 random characters or more/, secret);
    assert.ok(!message.includes(secret));
    assert.notEqual(await server.exited, 0);
  }
});

test('a data folder that cannot be made is an error in one sentence with the way out', async () => {
  const taken = join(home.path, 'a file');
  await writeFile(taken, '');
  for (const folder of [taken, join(taken, 'under it')]) {
    const server = startServer(home, { environment: { DAMASK_DATA_DIR: folder } });
    const { message = '' } = await server.event('error');
    assert.equal(message.split('\n').length, 1);
    assert.match(message, /a file.* is not a folder .* set DAMASK_DATA_DIR/);
    assert.equal(await server.exited, 1);
  }
});

test('help is printed on request, and an unknown option is named', () => {
  const help = runToEnd(home, ['serve', '--help']);
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^usage: main.ts serve/);
  const refused = runToEnd(home, ['serve', '--bogus']);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /^Unknown option '--bogus'\nusage: /);
});
