import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type MainServer, runMain, startServer } from './testing/main-process.ts';

let home: string;
let env: { HOME: string };
let server: MainServer;
const file = () => join(home, 'nightly.backup');

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'damask-drill-'));
  await chmod(home, 0o711);
  env = { HOME: home };
  server = await startServer(env);
  for (const name of ['one', 'two']) {
    assert.equal((await server.call('POST', '/v1/patterns', { name, system: 'Say.' })).http, 201);
  }
  assert.equal((await runMain(['backup', file()], env)).code, 0);
});
after(async () => {
  server.child.kill('SIGTERM');
  await server.child.exited;
  await rm(home, { recursive: true, force: true });
});

const reports = async () =>
  (await readFile(join(home, '.damask', 'backup-reports.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('a drill brings a backup back beside the server that runs, compares it, writes a report and leaves nothing else', async () => {
  const drill = await runMain(['backup-drill', file(), '--json'], env);
  assert.equal(drill.code, 0, drill.out);
  const told = JSON.parse(drill.out.trimEnd().split('\n').at(-1) ?? '');
  const [taken, tried] = await reports();
  assert.deepEqual([taken.event, taken.ok, tried.event, tried.ok], ['backup', true, 'drill', true]);
  assert.equal(tried.backup, taken.backup);
  assert.ok(tried.restore_ms > 0 && tried.took_ms >= tried.restore_ms && tried.recovery_point_ms > 0);
  assert.deepEqual(tried.compared.different, []);
  assert.ok(tried.compared.rows > 10 && tried.compared.tables > 30, JSON.stringify(tried.compared));
  assert.deepEqual({ ...tried, event: 'drill' }, told);
  const left = await readdir(join(home, '.damask'));
  assert.deepEqual(
    left.filter((name) => name.startsWith('drill-')),
    [],
  );
  assert.equal((await stat(join(home, '.damask', 'backup-reports.jsonl'))).mode & 0o777, 0o600);
  assert.equal((await server.call('GET', '/v1/patterns/one')).http, 200);
});

test('a drill of a damaged backup fails, and its report says so', async () => {
  const bytes = await readFile(file());
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(join(home, 'damaged.backup'), bytes);
  assert.equal((await runMain(['backup-drill', join(home, 'damaged.backup')], env)).code, 2);
  const last = (await reports()).at(-1);
  assert.deepEqual([last.event, last.ok], ['drill', false]);
  assert.match(last.error, /damaged\.backup/);
});
