import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { digestFiles, digestOfRun } from './digest.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test('a digest is the hash of the sorted lines of path, bytes and hash', () => {
  const files = [
    { path: 'system.md', content: 'é' },
    { path: 'README.md', content: '' },
  ];
  const lines = `README.md\0${0}\0${sha256('')}\nsystem.md\0${2}\0${sha256('é')}\n`;
  assert.equal(digestFiles(files), `sha256:${sha256(`damask-pattern-1\n${lines}`)}`);
  assert.equal(digestOfRun(files), digestFiles(files.slice(0, 1)));
});

test('a digest that was stored once never changes', () => {
  assert.equal(
    digestOfRun([{ path: 'system.md', content: 'Say hello.\n' }]),
    'sha256:0c62e11dcd1b7cdc929644d71d9cd465f0cb1fb0ee549804062b4a7263e72ae6',
  );
});
