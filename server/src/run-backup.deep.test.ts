import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type Child, runToEnd } from './platform/child-process.ts';
import { systemClock } from './platform/clock.ts';
import { createLog } from './platform/log.ts';
import { findPostmaster, shutDown } from './platform/postgres/postmaster.ts';
import { createRedact } from './platform/redact.ts';
import { type ModelServer, startModelServer } from './platform/testing/model-server.ts';
import { type MainServer, runMain, startMain, startServer } from './testing/main-process.ts';

// Real processes on real folders: a server is loaded, backed up, destroyed and brought back; and killed at every moment.
const log = createLog({ level: 'error', clock: systemClock, write: () => undefined, redact: createRedact() });
let home: string;
let model: ModelServer;
let server: MainServer;
let env: { HOME: string; OPENAI_BASE_URL: string; OPENAI_API_KEY: string };
const dataDirs: string[] = [];

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'damask-drill-'));
  await chmod(home, 0o711);
  model = await startModelServer((call, answer) => answer.say(`You said ${call.messages.at(-1)?.content}`));
  env = { HOME: home, OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'sk-test' };
  server = await startServer(env);
  dataDirs.push(join(home, '.damask'));
});
after(async () => {
  // A start that failed must not keep the whole run waiting.
  server?.child.kill('SIGKILL');
  await systemClock.sleep(500);
  for (const folder of dataDirs) {
    const left = await findPostmaster(join(folder, 'postgres'));
    if (left) await shutDown(left.pid, join(folder, 'postgres'), systemClock, log);
  }
  await model.close();
  await rm(home, { recursive: true, force: true });
});

async function dataDir(name: string): Promise<{ DAMASK_DATA_DIR: string }> {
  const folder = join(home, name);
  await mkdir(folder, { mode: 0o711 });
  dataDirs.push(folder);
  return { DAMASK_DATA_DIR: folder };
}

/** As superuser of the embedded server that runs now. */
async function ask(text: string, folder = join(home, '.damask')) {
  const client = new pg.Client({ host: join(folder, 'run'), port: 5432, user: 'damask', database: 'damask' });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Waits until a program has said so many lines, and a moment more. */
async function seeLines(child: Child, count: number) {
  (child.stderr as Readable).resume();
  const lines = createInterface({ input: child.stdout as Readable });
  for (let seen = 0; seen < count; seen++) await Promise.race([once(lines, 'line'), child.exited]);
  await systemClock.sleep(count === 0 ? 900 : 20);
}

type Shown = { list: { schema: string; name: string; rows: number; sha256: string; columns: string[] }[] };
const ofLife = new Set(['process', 'epoch', 'migration']);
/** Digests of the tables that are the same in every life and cluster. */
async function digestsOf(path: string) {
  const shown = await runMain(['backup-show', path, '--json'], env);
  assert.equal(shown.code, 0, shown.out);
  const { list } = JSON.parse(shown.out) as Shown;
  const same = list.filter(({ name, columns, rows }) => rows > 0 && !ofLife.has(name) && !columns.includes('xact'));
  return Object.fromEntries(same.map(({ schema, name, rows, sha256 }) => [`${schema}.${name}`, `${rows} ${sha256}`]));
}

test('a server that was destroyed under load comes back with every run that had ended before the backup, and goes on', async () => {
  await server.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet.' });
  const ended: { id: string; output: string }[] = [];
  let load = true;
  const workers = [0, 1, 2, 3].map(async (worker) => {
    for (let number = 0; load; number++) {
      const run = await server.call('POST', '/v1/runs', { pattern: 'greet', input: `${worker} ${number} \u{1F4A1}` });
      if (run.http === 200) ended.push(run);
    }
  });
  await systemClock.sleep(1_500);
  const known = [...ended];
  const file = join(home, 'loaded.backup');
  const taken = await runMain(['backup', file], env);
  assert.equal(taken.code, 0, taken.out);
  load = false;
  await Promise.all(workers);
  assert.ok(known.length > 20, `${known.length} runs`);
  assert.equal((await runMain(['backup-verify', file], env)).code, 0);

  const copy = await dataDir('restored');
  const restored = await runMain(['restore', file], { ...env, ...copy });
  assert.equal(restored.code, 0, restored.out);
  assert.match(restored.out, /The newest ids: .*pattern.finished [0-9a-f-]{36}/);
  await assert.rejects(startServer({ ...env, ...copy }), /damask restore --acknowledge/);
  assert.equal((await runMain(['restore', '--acknowledge'], { ...env, ...copy })).code, 0);

  const second = await startServer({ ...env, ...copy });
  try {
    for (const { id, output } of known) {
      const found = await second.call('GET', `/v1/runs/${id}`);
      assert.deepEqual([found.status, found.output], ['succeeded', output], id);
    }
    // Numbers of transactions begin again in a new cluster: what is published now must still be seen as new.
    const [order] = await ask(
      `select (select max(xact) from pattern.outbox) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint as below,
              count(*) = count(distinct id) as once from pattern.outbox`,
      copy.DAMASK_DATA_DIR,
    );
    assert.deepEqual(order, { below: true, once: true });
    assert.equal((await second.call('POST', '/v1/patterns', { name: 'fresh', system: 'Be.' })).http, 201);
    assert.equal((await second.call('POST', '/v1/runs', { pattern: 'fresh', input: 'now' })).output, 'You said now');
  } finally {
    second.child.kill('SIGTERM');
    await second.child.exited;
  }
});

test('queued work goes on after a restore, and calls that were out at the snapshot are uncertain and not made again', async () => {
  let hold = true;
  const slow = await startModelServer(async (call, answer) => {
    const said = String(call.messages.at(-1)?.content);
    while (hold && said.startsWith('slow')) await systemClock.sleep(50);
    answer.say(`did ${said}`);
  });
  const first = await dataDir('queue');
  const second = await dataDir('queue restored');
  const few = { ...env, ...first, OPENAI_BASE_URL: slow.url, DAMASK_WORKER_SLOTS: '1' };
  const platform = await startServer(few);
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet.' });
  const runs: { id: string }[] = [];
  for (const input of ['slow one', 'queued one']) {
    const accepted = await platform.call('POST', '/v1/runs', { pattern: 'greet', input, mode: 'async' });
    assert.equal(accepted.http, 202, JSON.stringify(accepted));
    runs.push(accepted);
    while (slow.calls.length === 0) await systemClock.sleep(50);
  }
  const file = join(home, 'queue.backup');
  assert.equal((await runMain(['backup', file], few)).code, 0);
  platform.child.kill('SIGKILL');
  hold = false;
  const calls = slow.calls.length;
  const copy = { ...few, ...second };
  const restored = await runMain(['restore', file, '--acknowledge'], copy);
  assert.match(restored.out, /2 pieces of work were queued or under way/);
  const next = await startServer(copy);
  try {
    const states = async () => Promise.all(runs.map(({ id }) => next.call('GET', `/v1/runs/${id}`)));
    for (let wait = 0; wait < 200 && (await states()).some(({ finished_at }) => !finished_at); wait++) {
      await systemClock.sleep(100);
    }
    const [out, queued] = await states();
    assert.deepEqual([out.status, out.error?.code, out.attempts.length], ['failed', 'interrupted', 1]);
    assert.deepEqual([queued.status, queued.output], ['succeeded', 'did queued one']);
    assert.equal(slow.calls.length, calls + 1);
  } finally {
    next.child.kill('SIGTERM');
    await next.child.exited;
    await slow.close();
  }
});

test('a backup that is killed at any moment leaves nothing under its name, and one of many rows takes little memory', async () => {
  // Rows that do not shrink, so that the backup takes seconds.
  await ask(`create table pattern.weight (id int primary key, filler text);
    insert into pattern.weight select n, (select string_agg(md5(n::text || m::text), '') from generate_series(1, 60) m)
      from generate_series(1, 100000) n`);
  const file = join(home, 'heavy.backup');
  let killed = 0;
  // While it starts, at its first progress, and later.
  for (const seen of [0, 1, 3, 6]) {
    const child = await startMain(['backup', file, '--json'], env);
    await seeLines(child, seen);
    child.kill('SIGKILL');
    const { code } = await child.exited;
    if (code !== 0) killed += 1;
    assert.equal(existsSync(file), code === 0, `killed after ${seen} lines`);
    await rm(file, { force: true });
  }
  assert.ok(killed > 1, `${killed} times killed before its end`);
  const stopped = await startMain(['backup', file, '--json'], env);
  await seeLines(stopped, 1);
  stopped.kill('SIGINT');
  await stopped.exited;
  assert.deepEqual(
    (await readdir(home)).filter((name) => name.startsWith('heavy.backup.') && name.includes(String(stopped.pid))),
    [],
  );
  const child = await startMain(['backup', file, '--json'], env);
  let most = 0;
  const watch = setInterval(() => {
    try {
      const [, peak = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      most = Math.max(most, Number(peak) / 1024);
    } catch {
      // It has just ended.
    }
  }, 50);
  (child.stdout as Readable).resume();
  (child.stderr as Readable).resume();
  assert.equal((await child.exited).code, 0);
  clearInterval(watch);
  assert.ok((await stat(file)).size > 100_000_000);
  assert.ok(most < 300, `${Math.round(most)} MB`);
  assert.deepEqual(
    (await readdir(home)).filter((name) => name.endsWith('.partial')),
    [],
  );
});

test('a restore that is killed at any moment leaves a folder that no server takes, or a whole one', async () => {
  const file = join(home, 'heavy.backup');
  const light = join(home, 'again.backup');
  await ask(`set session_replication_role = replica; insert into pattern.accepted (workspace, id, process, accepted_at, pattern,
      version, digest, model, stream, actor, metadata)
    select (select first_workspace from identity.instance), uuidv7(), gen_random_uuid(), now(), 'greet', 1, md5(n::text), 'm', false,
      gen_random_uuid(), jsonb_build_object('filler', repeat(md5(n::text), 20)) from generate_series(1, 100000) n`);
  // Somebody's own table is in the way of nothing.
  const other = await dataDir('foreign');
  const left = await runMain(['restore', file, '--json'], { ...env, ...other });
  assert.equal(left.code, 0, left.out);
  assert.deepEqual(JSON.parse(left.out.trim().split('\n').at(-1) as string).left_out, ['pattern.weight']);
  await rm(file);
  await ask('drop table pattern.weight');
  assert.equal((await runMain(['backup', light], env)).code, 0);
  const wanted = await digestsOf(light);
  const copy = await dataDir('killed');
  let half = 0;
  // Before the first row, at the first, and later.
  for (const seen of [0, 1, 2, 4]) {
    const child = await startMain(['restore', light, '--json'], { ...env, ...copy });
    await seeLines(child, seen);
    child.kill('SIGKILL');
    await child.exited;
    const refused = await startServer({ ...env, ...copy }).catch((error: Error) => error);
    if (!(refused instanceof Error)) {
      // Killed before it began: an empty installation, which is in use from now on.
      refused.child.kill('SIGTERM');
      await refused.child.exited;
      for (const name of await readdir(copy.DAMASK_DATA_DIR))
        await rm(join(copy.DAMASK_DATA_DIR, name), { recursive: true });
    } else if (/did not finish/.test(refused.message)) half += 1;
    else assert.match(refused.message, /--acknowledge/);
  }
  assert.ok(half > 1, `${half} times half restored`);
  const whole = await runMain(['restore', light, '--acknowledge'], { ...env, ...copy });
  if (whole.code !== 0) assert.match(whole.out, /nothing is overwritten/);
  const back = join(home, 'back.backup');
  assert.equal((await runMain(['backup', back], { ...env, ...copy })).code, 0);
  assert.deepEqual(await digestsOf(back), wanted);
});

test('a full disk ends a backup and a restore with what to do, and leaves nothing', async (context) => {
  const small = join(home, 'small');
  await mkdir(small);
  const mounted = await runToEnd('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small], { timeoutMs: 5_000 }).catch(
    () => undefined,
  );
  if (mounted?.code !== 0) return context.skip('no file system can be mounted here');
  try {
    const full = await runMain(['backup', join(small, 'x.backup')], env);
    assert.match(full.out, /The disk is full/);
    assert.equal(full.code, 1);
    assert.deepEqual(await readdir(small), []);
  } finally {
    await runToEnd('umount', [small], { timeoutMs: 5_000 });
  }
});

test('a backup of this version comes back in PostgreSQL 15, and from there again', async (context) => {
  const binaries = '/usr/lib/postgresql/15/bin';
  if (!existsSync(join(binaries, 'initdb'))) return context.skip('PostgreSQL 15 is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'damask-pg15-'));
  await chmod(folder, 0o777);
  const asNobody = (command: string) =>
    runToEnd('/bin/sh', ['-c', `cd ${folder} && ${command}`], {
      timeoutMs: 60_000,
      ...(process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}),
    });
  try {
    await asNobody(`${binaries}/initdb -D data -U postgres --auth=trust -E UTF8 --locale=C`);
    const settings = `-c listen_addresses='' -c unix_socket_directories=${folder} -c fsync=off`;
    await asNobody(`${binaries}/pg_ctl -D data -o "${settings}" -l log -w start`);
    const client = new pg.Client({ host: folder, user: 'postgres', database: 'postgres' });
    await client.connect();
    await client.query('create role operator login createrole');
    await client.query('create database shop owner operator');
    await client.end();
    const url = {
      DAMASK_DATABASE_URL: `postgres://operator@${encodeURIComponent(folder)}/shop`,
      ...(await dataDir('client')),
    };
    const light = join(home, 'again.backup');
    const restored = await runMain(['restore', light, '--acknowledge'], { ...env, ...url });
    assert.equal(restored.code, 0, restored.out);
    const fifteen = join(home, 'fifteen.backup');
    assert.equal((await runMain(['backup', fifteen], { ...env, ...url })).code, 0);
    assert.deepEqual(await digestsOf(fifteen), await digestsOf(light));
  } finally {
    await asNobody(`${binaries}/pg_ctl -D data -m immediate stop`);
    await rm(folder, { recursive: true, force: true });
  }
});
