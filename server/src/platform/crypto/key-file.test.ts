import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadKeyFile } from './key-file.ts';

const root = await mkdtemp(join(tmpdir(), 'damask key '));
after(() => rm(root, { recursive: true, force: true }));
const folder = () => mkdtemp(join(root, 'case-'));

test('the file is made once, for its owner alone, and read again', async () => {
  const path = join(await folder(), 'deep', 'master.key');
  const made = await loadKeyFile({ path, allowCreate: true });
  const again = await loadKeyFile({ path, allowCreate: false });
  assert.equal(again.id, made.id);
  assert.ok(again.key.equals(made.key));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('two processes that start together end with one key', async () => {
  const path = join(await folder(), 'master.key');
  const [one, two] = await Promise.all(
    [loadKeyFile({ path, allowCreate: true }), loadKeyFile({ path, allowCreate: true })].map((key) =>
      key.catch(() => null),
    ),
  );
  const final = await loadKeyFile({ path, allowCreate: false });
  for (const key of [one, two]) if (key) assert.equal(key.id, final.id);
});

test('a missing file that is needed is an error that names the way out', async () => {
  const path = join(await folder(), 'master.key');
  await assert.rejects(loadKeyFile({ path, allowCreate: false }), /is missing.*DAMASK_KEY_FILE/);
});

test('a file that others can read is refused with the command that mends it', async () => {
  const path = join(await folder(), 'master.key');
  await loadKeyFile({ path, allowCreate: true });
  await chmod(path, 0o644);
  await assert.rejects(loadKeyFile({ path, allowCreate: true }), /chmod 600 '.+'$/);
});

test('a link and a file with something else are refused', async () => {
  const place = await folder();
  const path = join(place, 'master.key');
  await loadKeyFile({ path, allowCreate: true });
  await symlink(path, join(place, 'link.key'));
  await assert.rejects(loadKeyFile({ path: join(place, 'link.key'), allowCreate: true }), /link/);
  await writeFile(join(place, 'other.key'), 'hello', { mode: 0o600 });
  await assert.rejects(loadKeyFile({ path: join(place, 'other.key'), allowCreate: true }), /not a key file/);
});
