import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runToEnd } from '../child-process.ts';
import { systemClock } from '../clock.ts';
import { ask, clusterFolder, connect, hold, holdElsewhere, start, waitFor } from '../testing/postgres-workbench.ts';

const asRoot = process.getuid?.() === 0;

test('a start that is killed at any moment leaves a folder on which the next one works', async () => {
  const folder = clusterFolder();
  for (let round = 0; round < 16; round++) {
    const child = await hold(folder);
    await systemClock.sleep(150 + round * 100);
    child.kill('SIGKILL');
    await child.exited;
  }
  const postgres = await start(folder);
  assert.deepEqual(await ask(postgres, 'select 1 as one'), { one: 1 });
  await postgres.stop();
  assert.deepEqual(readdirSync(folder).sort(), ['data', 'postgres.log', 'run']);
});

test('of many starts at once exactly one has the database', async () => {
  const folder = clusterFolder();
  const attempts = await Promise.allSettled([1, 2, 3, 4].map(() => holdElsewhere(folder)));
  const winners = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
  const losers = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason.message] : []));
  assert.equal(winners.length, 1, losers.join('\n'));
  for (const message of losers) assert.match(message, /Another Damask/);
  winners[0]?.child.kill('SIGTERM');
  await winners[0]?.child.exited;
});

test('no acknowledged row is lost when node and the server are killed together, again and again', async () => {
  const { written, lost } = await writeAndKill(8, []);
  assert.ok(written > 1000, `${written} rows`);
  assert.deepEqual(lost, []);
});

test('the same harness sees the rows that a server loses which does not wait for the disk', async () => {
  const { lost } = await writeAndKill(4, ['synchronous_commit=off']);
  assert.ok(lost.length > 0);
});

test('a killed backend makes the server recover by itself, and the supervisor reports it', async () => {
  const folder = clusterFolder();
  const events: string[] = [];
  const postgres = await start(folder, { onDown: () => events.push('down'), onUp: () => events.push('up') });
  const before = postgres.pid;
  const client = await connect(postgres);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  process.kill(rows[0]?.pid as number, 'SIGKILL');
  await waitFor(() => events.length === 2, 'the server is back');
  assert.equal(postgres.pid, before);
  assert.deepEqual(await ask(postgres, 'select 1 as one'), { one: 1 });
  await client.end().catch(() => {});
  await postgres.stop();
});

test('root runs the server as nobody, and finds a way where nobody may not go', async () => {
  if (!asRoot) return;
  const open = clusterFolder();
  const first = await start(open);
  assert.notEqual(statSync(join(open, 'data')).uid, 0);
  await first.stop();
  chmodSync(open, 0o700);
  const second = await start(open);
  assert.deepEqual(await ask(second, 'select 1 as one'), { one: 1 });
  await second.stop();

  const closed = clusterFolder();
  chmodSync(closed, 0o700);
  for (let round = 0; round < 2; round++) {
    const postgres = await start(closed);
    assert.equal(statSync(join(closed, 'data')).uid, 0);
    assert.deepEqual(await ask(postgres, 'select 1 as one'), { one: 1 });
    await postgres.stop();
  }
});

test('a full disk is named with the way out, and the data is there when there is room again', async () => {
  if (!asRoot) return;
  const folder = clusterFolder();
  const small = join(folder, 'small');
  mkdirSync(small);
  const run = (command: string, ...args: string[]) => runToEnd(command, args, { timeoutMs: 30_000 });
  const mounted = await run('mount', '-t', 'tmpfs', '-o', 'size=20m,mode=711', 'tmpfs', small);
  if (mounted.code !== 0) return;
  try {
    await fillAndRecover(small, run);
  } finally {
    await run('umount', '--lazy', small);
  }
});

async function fillAndRecover(
  small: string,
  run: (command: string, ...args: string[]) => Promise<unknown>,
): Promise<void> {
  await assert.rejects(start(small), /The disk that holds .* is full\. Free some space/);
  assert.deepEqual(readdirSync(small), []);

  await run('mount', '-o', 'remount,size=90m', small);
  const postgres = await start(small);
  await ask(postgres, 'create table kept as select 1 as answer');
  await run('dd', 'if=/dev/zero', `of=${join(small, 'ballast')}`, 'bs=1M');
  await assert.rejects(
    ask(postgres, `create table big as select repeat('x', 1000) from generate_series(1, 100000)`),
    /No space left|recovery mode|terminat/,
  );
  process.kill(postgres.pid, 'SIGKILL');
  await systemClock.sleep(1_000);
  await run('rm', join(small, 'ballast'));
  const isBack = () =>
    ask(postgres, 'select answer from kept').then(
      (row) => row.answer === 1,
      () => false,
    );
  await waitFor(isBack, 'the data is back', 60_000);
  await postgres.stop();
}

async function writeAndKill(rounds: number, settings: readonly string[]): Promise<{ written: number; lost: string[] }> {
  const folder = clusterFolder();
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const { child, pid, host } = await holdElsewhere(folder, settings);
    const site = {
      connection: (database: string) => ({ host, port: 5432, user: 'damask', database, ssl: false }) as const,
    };
    await ask(site, 'create table if not exists ledger (id text primary key)');
    const writers = [0, 1, 2, 3].map(async (writer) => {
      const client = await connect(site);
      try {
        for (let count = 0; ; count++) {
          const id = `${round}-${writer}-${count}`;
          await client.query('insert into ledger values ($1)', [id]);
          acknowledged.push(id);
        }
      } catch {
        await client.end().catch(() => {});
      }
    });
    await systemClock.sleep(300);
    // In both orders: the supervisor may see its server die, or the server outlive it.
    for (const victim of round % 2 ? [child.pid, pid] : [pid, child.pid]) process.kill(victim, 'SIGKILL');
    await Promise.all(writers);
  }
  const postgres = await start(folder);
  const client = await connect(postgres);
  const { rows } = await client.query<{ id: string }>('select id from ledger');
  const stored = new Set(rows.map((row) => row.id));
  await client.end();
  await postgres.stop();
  return { written: acknowledged.length, lost: acknowledged.filter((id) => !stored.has(id)) };
}
