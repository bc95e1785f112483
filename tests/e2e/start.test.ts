import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, rename, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { startModelServer } from '../../server/src/platform/testing/model-server.ts';
import {
  createCaller,
  type Home,
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

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return String(port);
}

/** Processes whose command line or arguments name the home folder. */
function leftOver(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(home.path) ? [`${name} ${command}`] : [];
      } catch {
        return [];
      }
    });
}

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
  assert.deepEqual(leftOver(), []);
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

test('of starts at the same moment one serves and the others say where, on any port and on the same', async () => {
  for (const port of ['0', await freePort()]) {
    const all = [1, 2, 3].map(() => startServer(home, { environment: { DAMASK_PORT: port } }));
    const ends = await Promise.all(all.map((server) => server.event('ready', 'already-running')));
    assert.deepEqual(ends.map((event) => event.event).sort(), ['already-running', 'already-running', 'ready']);
    assert.equal(new Set(ends.map(({ url }) => url)).size, 1);
    await Promise.all(all.map((server) => server.stop()));
  }
});

test('a server whose starter was killed stops by itself', async () => {
  const server = startServer(home, { leash: true });
  await server.event('ready');
  const exited = once(server.child, 'exit');
  server.child.disconnect();
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(leftOver(), []);
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

test('data of a newer version are refused and left alone', async () => {
  const server = startServer(home);
  await server.event('ready');
  const admin = new pg.Client({ host: join(home.dataDir, 'run'), user: 'damask', database: 'damask' });
  await admin.connect();
  await admin.query(
    `insert into platform.migration (service, number, name, checksum) values ('pattern', 9999, '9999_later', 'x')`,
  );
  await admin.end();
  await server.stop();
  const newer = startServer(home);
  const { message } = await newer.event('error');
  assert.match(message ?? '', /written by a newer Damask \(pattern\/9999_later/);
  assert.equal(await newer.exited, 1);
  assert.deepEqual(leftOver(), []);
});

test('a key file that is gone or that others can read stops the start with the way out', async () => {
  const other = await makeHome();
  try {
    const model = await startModelServer();
    const environment = { OPENAI_BASE_URL: model.url };
    const server = startServer(other, { environment });
    const { url = '', instance = '' } = await server.event('ready');
    const call = createCaller(url, await readKey(other, instance));
    assert.equal((await call('POST', '/v1/runs', { pattern: 'summarize', input: 'hello' })).status, 200);
    await server.stop();
    const key = join(other.configDir, 'master.key');
    await chmod(key, 0o644);
    const open = startServer(other, { environment });
    assert.match((await open.event('error')).message ?? '', /chmod 600/);
    await open.exited;
    await rename(key, `${key}.away`);
    const gone = startServer(other, { environment });
    assert.match((await gone.event('error')).message ?? '', /is missing.*Put it back/);
    assert.equal(await gone.exited, 1);
    await writeFile(key, 'nonsense', { mode: 0o600 });
    const nonsense = startServer(other, { environment });
    assert.match((await nonsense.event('error')).message ?? '', /not a key file/);
    await nonsense.exited;
    await model.close();
  } finally {
    await other.remove();
  }
});

test('a run in flight ends before a stop, new ones are refused, and a killed companion comes back', async () => {
  const other = await makeHome();
  const model = await startModelServer(async (_, answer) => {
    await sleep(700);
    answer.say('in time');
  });
  const server = startServer(other, { environment: { OPENAI_BASE_URL: model.url } });
  try {
    const { url = '', instance = '' } = await server.event('ready');
    const call = createCaller(url, await readKey(other, instance));
    const companion = readdirSync('/proc').find((name) => {
      try {
        const status = readFileSync(`/proc/${name}/stat`, 'utf8');
        return (
          Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]) === server.child.pid &&
          readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('companion')
        );
      } catch {
        return false;
      }
    });
    process.kill(Number(companion), 'SIGKILL');
    for (let wait = 0; wait < 100 && (await call('GET', '/v1/keys')).status !== 200; wait++) await sleep(50);
    assert.equal((await call('GET', '/v1/keys')).status, 200);

    const run = call('POST', '/v1/runs', { pattern: 'summarize', input: 'hello' });
    while (model.calls.length === 0) await sleep(10);
    const stopped = server.stop();
    const { status, body } = await run;
    assert.equal(status, 200);
    assert.equal(body.output, 'in time');
    assert.equal(await stopped, 0);
  } finally {
    server.child.kill('SIGKILL');
    await model.close();
    await other.remove();
  }
});
