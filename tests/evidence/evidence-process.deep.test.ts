import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCli } from '../../cli/test/run-cli.ts';
import { type MainServer, runMain, startServer } from '../../server/src/testing/main-process.ts';

// A real server with its second process, a real backup and drill, and an auditor who has the archive and the keys only.
let home: string;
let server: MainServer;
let stopped = false;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'damask-evidence-'));
  await chmod(home, 0o711);
  server = await startServer({ HOME: home });
});
after(async () => {
  await stop();
  await rm(home, { recursive: true, force: true });
});

async function stop() {
  if (stopped) return;
  stopped = true;
  server.child.kill('SIGTERM');
  await server.child.exited;
}

test('evidence of a real server, with a drill of its backup, is verified after the server is gone', async () => {
  assert.equal((await server.call('POST', '/v1/patterns', { name: 'one', system: 'Say.' })).http, 201);
  const { key } = await server.call('POST', '/v1/keys', { name: 'auditor', role: 'owner' });
  const backup = join(home, 'nightly.backup');
  for (const args of [
    ['backup', backup],
    ['backup-drill', backup],
  ]) {
    const done = await runMain(args, { HOME: home });
    assert.equal(done.code, 0, done.out);
  }
  const archive = join(home, 'evidence.tar.gz');
  const reports = join(home, '.damask', 'backup-reports.jsonl');
  const args = ['evidence', 'export', '--since', '1d', '-o', archive, '--backups', reports, '--json'];
  const made = await runCli(args, { url: server.url, env: { DAMASK_API_KEY: key } });
  assert.equal(made.code, 0, made.stderr);
  const told = JSON.parse(made.stdout);
  assert.deepEqual(told.left_out, []);
  await stop();
  const keys = join(home, 'keys.json');
  execFileSync('tar', ['-xzf', archive, '-C', home]);
  // The auditor got the keys by another way.
  const signing = JSON.parse(await readFile(join(home, '.config', 'damask', 'audit-signing.key'), 'utf8'));
  const trusted = signing.keys.map(({ private_key: _, ...shown }: Record<string, unknown>) => shown);
  await writeFile(keys, JSON.stringify(trusted));
  const verify = () => runCli(['evidence', 'verify', archive, '--public-key', keys], { url: 'http://127.0.0.1:9' });
  const whole = await verify();
  assert.equal(whole.code, 0, whole.stdout + whole.stderr);
  const [taken, tried] = (await readFile(join(home, 'damask-evidence', 'backups', 'backups-1.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual([taken.event, tried.event, tried.ok, tried.compared.different], ['backup', 'drill', true, []]);
  const bytes = await readFile(archive);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(archive, bytes);
  assert.equal((await verify()).code, 1);
});
