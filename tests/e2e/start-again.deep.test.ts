import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { startModelServer } from '../../server/src/platform/testing/model-server.ts';
import {
  createCaller,
  type Home,
  leftOver,
  makeHome,
  readKey,
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

test('of starts at the same moment one serves and the others say where, on any port and on the same', async () => {
  for (const port of ['0', await freePort()]) {
    const all = [1, 2, 3].map(() => startServer(home, { environment: { DAMASK_PORT: port } }));
    const ends = await Promise.all(all.map((server) => server.event('ready', 'already-running')));
    assert.deepEqual(ends.map((event) => event.event).sort(), ['already-running', 'already-running', 'ready']);
    assert.equal(new Set(ends.map(({ url }) => url)).size, 1);
    await Promise.all(all.map((server) => server.stop()));
  }
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
  assert.deepEqual(leftOver(home), []);
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
