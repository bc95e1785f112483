import assert from 'node:assert/strict';
import { chownSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, clusterFolder, connect, holdElsewhere, start, waitFor } from '../testing/postgres-workbench.ts';
import { isPostmaster } from './postmaster.ts';

const nobody = 65534;
const asRoot = process.getuid?.() === 0;
const isRefusal =
  (pattern: RegExp, code = 'unavailable') =>
  (error: { code?: string; message?: string }) =>
    error.code === code && pattern.test(error.message ?? '');

test('the first start makes a cluster that only its user reaches, and a later start finds it again', async () => {
  const folder = clusterFolder();
  const first = await start(folder);
  assert.deepEqual([first.created, first.adopted], [true, false]);
  const settings = await ask(
    first,
    `select current_setting('listen_addresses') as tcp, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as commit, current_setting('full_page_writes') as pages,
      current_setting('max_connections') as connections, current_setting('data_checksums') as checksums,
      (select datlocale from pg_database where datname = 'postgres') as locale`,
  );
  assert.deepEqual(settings, {
    tcp: '',
    fsync: 'on',
    commit: 'on',
    pages: 'on',
    connections: '100',
    checksums: 'on',
    locale: 'C.UTF-8',
  });
  for (const name of ['data', 'run']) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o700);
  assert.equal(first.socketDirectory, join(folder, 'run'));
  await ask(first, 'create table kept as select 42 as answer');
  const { pid } = first;
  await Promise.all([first.stop(), first.stop()]);
  await first.exited;
  assert.equal(await isPostmaster(pid, join(folder, 'data')), false);

  const second = await start(folder);
  assert.deepEqual([second.created, second.adopted], [false, false]);
  assert.deepEqual(await ask(second, 'select answer from kept'), { answer: 42 });
  await second.stop();
});

test('after kill -9 of the server under load the supervisor brings it back with every committed row', async () => {
  const folder = clusterFolder();
  const events: string[] = [];
  const postgres = await start(folder, { onDown: () => events.push('down'), onUp: () => events.push('up') });
  await ask(postgres, 'create table ledger (id int primary key)');
  const before = postgres.pid;
  const acknowledged: number[] = [];
  const writers = [0, 1, 2, 3].map(async (writer) => {
    const client = await connect(postgres);
    try {
      for (let id = writer; ; id += 4) {
        await client.query('insert into ledger values ($1)', [id]);
        acknowledged.push(id);
      }
    } catch {
      await client.end().catch(() => {});
    }
  });
  await waitFor(() => acknowledged.length > 300, 'rows are written');
  process.kill(before, 'SIGKILL');
  await Promise.all(writers);
  await waitFor(() => events.length === 2, 'the server is back');
  assert.deepEqual(events, ['down', 'up']);
  assert.notEqual(postgres.pid, before);
  const client = await connect(postgres);
  const { rows } = await client.query<{ id: number }>('select id from ledger');
  await client.end();
  const stored = new Set(rows.map((row) => row.id));
  assert.deepEqual(
    acknowledged.filter((id) => !stored.has(id)),
    [],
  );
  await postgres.stop();
});

test('a server that outlived a killed Damask is taken over; one with other settings is restarted', async () => {
  const folder = clusterFolder();
  const holder = await holdElsewhere(folder);
  await assert.rejects(
    start(folder),
    isRefusal(new RegExp(`Another Damask \\(process ${holder.child.pid}\\)`), 'in_use'),
  );
  holder.child.kill('SIGKILL');
  await holder.child.exited;

  const heir = await start(folder);
  assert.deepEqual([heir.adopted, heir.pid], [true, holder.pid]);
  await ask(heir, 'create table kept as select 1 as answer');
  process.kill(heir.pid, 'SIGKILL');
  await waitFor(() => heir.pid !== holder.pid, 'the adopted server is supervised too');
  await heir.stop();

  const careless = await holdElsewhere(folder, ['synchronous_commit=off']);
  careless.child.kill('SIGKILL');
  await careless.child.exited;
  const careful = await start(folder);
  assert.equal(careful.adopted, false);
  assert.notEqual(careful.pid, careless.pid);
  assert.deepEqual(await ask(careful, `select current_setting('synchronous_commit') as commit, answer from kept`), {
    commit: 'on',
    answer: 1,
  });
  await careful.stop();
});

test('a data folder whose path is too long for a socket gets a short folder that is closed to others', async () => {
  const folder = clusterFolder(`${'long '.repeat(25)}`);
  const postgres = await start(folder, { settings: { fsync: 'off' } });
  assert.ok(Buffer.byteLength(postgres.socketDirectory) < 90, postgres.socketDirectory);
  assert.equal(statSync(postgres.socketDirectory).mode & 0o777, 0o700);
  assert.deepEqual(await ask(postgres, 'select 1 as one'), { one: 1 });
  await postgres.stop();
  rmdirSync(postgres.socketDirectory);
});

test('an ordinary user runs the server as themselves', async () => {
  // Started by one, all the other tests show it already.
  if (!asRoot) return;
  const folder = clusterFolder();
  chownSync(folder, nobody, nobody);
  const holder = await holdElsewhere(folder, ['fsync=off'], { uid: nobody, gid: nobody });
  assert.equal(statSync(join(folder, 'data')).uid, nobody);
  holder.child.kill('SIGTERM');
  assert.deepEqual(await holder.child.exited, { code: 0, signal: null });
  assert.equal(await isPostmaster(holder.pid, join(folder, 'data')), false);
});
