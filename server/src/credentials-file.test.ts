import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { changeCredentials, type Instances } from './credentials-file.ts';

const root = await mkdtemp(join(tmpdir(), 'damask-credentials-'));
after(() => rm(root, { recursive: true, force: true }));

let count = 0;
const newFolder = () => join(root, `${++count}`, 'with space', 'damask');
const entry = (name: string) => ({
  url: `http://127.0.0.1/${name}`,
  api_key: `dmk_${name}`,
  data_dir: `/data/${name}`,
});
const add = (folder: string, name: string) =>
  changeCredentials(folder, systemClock, (instances) => ({ ...instances, [name]: entry(name) }));
const contentOf = async (folder: string) => JSON.parse(await readFile(join(folder, 'credentials.json'), 'utf8'));
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test('folder and file are made for their owner only, and nothing else is left', async () => {
  const folder = newFolder();
  assert.deepEqual(await add(folder, 'a'), { a: entry('a') });
  assert.deepEqual(await contentOf(folder), { instances: { a: entry('a') } });
  assert.equal(await modeOf(folder), '700');
  assert.equal(await modeOf(join(folder, 'credentials.json')), '600');
  assert.deepEqual(await readdir(folder), ['credentials.json']);
});

test('a file that others could read is closed to them, changed or not', async () => {
  const folder = newFolder();
  await add(folder, 'a');
  const file = join(folder, 'credentials.json');
  await chmod(file, 0o644);
  await changeCredentials(folder, systemClock, (instances) => instances);
  assert.equal(await modeOf(file), '600');
  await chmod(file, 0o666);
  await add(folder, 'b');
  assert.equal(await modeOf(file), '600');
});

test('a change that changes nothing does not write', async () => {
  const folder = newFolder();
  await add(folder, 'a');
  const before = await stat(join(folder, 'credentials.json'));
  await add(folder, 'a');
  const now = await stat(join(folder, 'credentials.json'));
  assert.deepEqual([now.ino, now.mtimeMs], [before.ino, before.mtimeMs]);
});

test('what other programs wrote into the file stays', async () => {
  const folder = newFolder();
  await mkdir(folder, { recursive: true });
  const theirs = { current: 'a', instances: { a: { ...entry('a'), note: 'mine' }, b: { ...entry('b'), url: null } } };
  await writeFile(join(folder, 'credentials.json'), JSON.stringify(theirs));
  await add(folder, 'c');
  assert.deepEqual(await contentOf(folder), { ...theirs, instances: { ...theirs.instances, c: entry('c') } });
});

test('many at once lose no change and show nobody half a file', async () => {
  const folder = newFolder();
  const names = Array.from({ length: 25 }, (_, i) => `server-${i}`);
  let reading = true;
  const reader = (async () => {
    while (reading) {
      await contentOf(folder).catch((error: NodeJS.ErrnoException) => assert.equal(error.code, 'ENOENT'));
    }
  })();
  await Promise.all(names.map((name) => add(folder, name)));
  reading = false;
  await reader;
  assert.deepEqual(Object.keys((await contentOf(folder)).instances).sort(), [...names].sort());
});

test('what a killed process left behind does not stop the next one', async () => {
  const folder = newFolder();
  await add(folder, 'a');
  const lock = join(folder, 'credentials.json.lock');
  await writeFile(lock, '');
  await utimes(lock, new Date(), new Date(Date.now() - 60_000));
  await writeFile(join(folder, 'credentials.json.tmp'), '{"instances": {', { mode: 0o644 });
  await add(folder, 'b');
  assert.deepEqual(Object.keys((await contentOf(folder)).instances), ['a', 'b']);
  assert.deepEqual(await readdir(folder), ['credentials.json']);
});

test('a change that throws changes nothing and lets the next one in', async () => {
  const folder = newFolder();
  await add(folder, 'a');
  const before = await readFile(join(folder, 'credentials.json'), 'utf8');
  const failing = changeCredentials(folder, systemClock, (): Instances => {
    throw new Error('boom');
  });
  await assert.rejects(failing, /boom/);
  assert.equal(await readFile(join(folder, 'credentials.json'), 'utf8'), before);
  await add(folder, 'b');
});

test('a file that is not ours is refused with the way out and left as it is', async () => {
  for (const text of [
    '',
    'dmk_secret',
    '[]',
    'null',
    '{"instances": []}',
    '{"instances": {"a": null}}',
    '{"instances": {"a": {"url": 1, "api_key": "x", "data_dir": null}}}',
    '{"instances": {"a": {"url": null, "data_dir": null}}}',
    `"${'x'.repeat(1024 * 1024)}"`,
  ]) {
    const folder = newFolder();
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'credentials.json');
    await writeFile(file, text);
    await assert.rejects(add(folder, 'a'), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'unavailable', text.slice(0, 80));
      assert.ok(error.message.includes(file) && error.message.includes('move it away'));
      assert.ok(!error.message.includes('dmk_secret'));
      return true;
    });
    assert.equal(await readFile(file, 'utf8'), text);
  }
});

test('a folder that cannot be used is named with the way out', async () => {
  const folder = newFolder();
  await mkdir(join(folder, '..'), { recursive: true });
  await writeFile(folder, 'a file is in the way');
  await assert.rejects(add(folder, 'a'), { code: 'unavailable', message: /DAMASK_CONFIG_DIR/ });
  const looped = newFolder();
  await mkdir(looped, { recursive: true });
  await symlink('credentials.json', join(looped, 'credentials.json'));
  await assert.rejects(add(looped, 'a'), { code: 'unavailable' });
});
