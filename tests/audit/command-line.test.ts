import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Finished, makeFolder, runCli } from '../../cli/test/run-cli.ts';
import { type AuditWorld, startAuditWorld } from './audit-world.ts';

let world: AuditWorld;
let folder: string;
before(async () => {
  world = await startAuditWorld();
  folder = makeFolder();
  await world.write(3);
  await world.anchor();
});
after(() => world.stop());

const damask = (...args: string[]): Promise<Finished> => {
  const { url, alpha } = world.platform;
  return runCli(args, { url, env: { DAMASK_API_KEY: alpha.ownerKey } });
};

test('the log is listed, with the reason that a command was given', async () => {
  const made = await damask('keys', 'create', '--name', 'ci', '--role', 'runner', '--reason', 'für den Bau');
  assert.equal(made.code, 0, made.stderr);
  await world.platform.sealAudit();
  const { stdout, code } = await damask('audit', '--subject', 'key/', '-n', '2');
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^ *SEQ +WHEN +ACTOR +ACTION +SUBJECT +FROM +REASON\n.*createKey +key\/.*127\.0\.0\.1 +für den Bau\n/,
  );
  assert.equal(stdout.trimEnd().split('\n').length, 3);
  const listed = JSON.parse((await damask('audit', '--action', 'createKey', '--json')).stdout);
  assert.equal(listed[0].reason, 'für den Bau');
});

test('an export is verified without a server, and what was changed in it is named', async () => {
  const file = join(folder, 'audit.jsonl');
  const written = await damask('audit', 'export', '-o', file);
  assert.equal(written.code, 0, written.stderr);
  assert.match(written.stderr, /is written\. Verify it later with --to \d{4}-/);
  const verify = (...more: string[]) =>
    runCli(['audit', 'verify', file, '--checkpoints', world.folder, ...more], { url: 'http://127.0.0.1:9' });
  const whole = await verify();
  assert.equal(whole.code, 0, whole.stdout + whole.stderr);
  assert.match(whole.stdout, /: entries 1 to \d+, 1 checkpoints hold\nThe chain is whole\.\n$/);
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  await writeFile(file, `${lines.with(2, (lines[2] as string).replace('"done"', '"refused"')).join('\n')}\n`);
  const edited = await verify();
  assert.equal(edited.code, 1);
  assert.match(edited.stdout, /^hash_mismatch seq=3: entry 3 is not what was hashed$/m);
  await writeFile(file, `${lines.slice(0, 3).join('\n')}\n`);
  // A line without an end is not read to its end.
  await appendFile(file, Buffer.alloc(40 * 1024 * 1024, 'x'));
  assert.match((await verify()).stdout, /^unreadable: line 4 is no entry of an export$/m);
  await writeFile(file, `${lines.slice(0, 3).join('\n')}\n`);
  const cut = await verify('--json');
  assert.equal(cut.code, 1);
  assert.equal(JSON.parse(cut.stdout).problems[0].code, 'truncated');
  // Of a time before the checkpoint it is whole, for all that anybody can know.
  assert.equal((await verify('--to', '2020-01-01')).code, 0);
  assert.equal((await runCli(['audit', 'verify', join(folder, 'none.jsonl')], {})).code, 5);
  assert.equal((await runCli(['audit', 'verify', file, '--checkpoints', join(folder, 'none')], {})).code, 6);
});

test('the log of the server is verified as it is, with the state of keys and members', async () => {
  const verify = (...more: string[]) => damask('audit', 'verify', ...more);
  const fine = await verify('--checkpoints', world.folder, '--public-key', join(world.folder, 'keys.json'), '--state');
  assert.equal(fine.code, 0, fine.stdout + fine.stderr);
  assert.match((await verify()).stderr, /No checkpoints from outside were given/);
  await world.behind(`update identity.api_key set role = 'owner' where name = 'key 0' and workspace = $1`, [
    world.platform.alpha.id,
  ]);
  const changed = await verify('--checkpoints', world.folder, '--state');
  assert.equal(changed.code, 1);
  assert.match(changed.stdout, /^changed_by_hand key\/\S+: it was changed without an entry$/m);
});
