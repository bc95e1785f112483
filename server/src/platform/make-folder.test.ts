import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeFolder } from './make-folder.ts';

const root = await mkdtemp(join(tmpdir(), 'damask-folder-'));
after(() => rm(root, { recursive: true, force: true }));

test('a folder and those above it are made once, closed to others', async () => {
  const path = join(root, 'a', 'b', 'c');
  assert.equal(await makeFolder(path), true);
  assert.equal(await makeFolder(path), false);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  await Promise.all(Array.from({ length: 20 }, () => makeFolder(join(root, 'many', 'at', 'once'))));
});

test('a path that can hold no folder is refused', async () => {
  await writeFile(join(root, 'file'), '');
  await assert.rejects(makeFolder(join(root, 'file')), { code: 'EEXIST' });
  await assert.rejects(makeFolder(join(root, 'file', 'below')), { code: 'ENOTDIR' });
  if (existsSync('/proc/self')) await assert.rejects(makeFolder('/proc/damask/below'), { code: 'ENOENT' });
});
