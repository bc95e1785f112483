import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../test/run-cli.ts';
import { readAttachments } from './attachments.ts';

test('what a file is, its first bytes say', () => {
  const folder = makeFolder();
  const cases: [string, string | Uint8Array, string, string | undefined][] = [
    ['a.txt', Buffer.from('\x89PNG\r\n\x1a\nrest', 'latin1'), 'image', 'image/png'],
    ['b', Buffer.from('\xff\xd8\xff\xe0', 'latin1'), 'image', 'image/jpeg'],
    ['c', 'GIF89a...', 'image', 'image/gif'],
    ['d', Buffer.from('RIFF\x10\x00\x00\x00WEBPVP8 ', 'latin1'), 'image', 'image/webp'],
    ['e.png', '%PDF-1.7\n', 'pdf', 'application/pdf'],
    ['f.png', 'Grüße', 'text', undefined],
  ];
  for (const [name, content, type, mediaType] of cases) {
    const path = join(folder, name);
    writeFileSync(path, content);
    const [found] = readAttachments([path]);
    assert.deepEqual([found?.type, found?.name, found?.media_type], [type, name, mediaType]);
    const back = found?.text ?? Buffer.from(found?.data ?? '', 'base64');
    assert.ok(Buffer.from(back as string).equals(Buffer.from(content)));
  }
});

test('what cannot be attached is refused with the way out, and a strange name is no reason', () => {
  const folder = makeFolder();
  writeFileSync(join(folder, 'binary'), Uint8Array.of(1, 0, 255));
  writeFileSync(join(folder, 'empty'), '');
  mkdirSync(join(folder, 'folder'));
  for (const [name, reason] of [
    ['binary', /neither a PNG/],
    ['empty', /is empty/],
    ['folder', /not a file/],
    ['missing', /There is no file/],
  ] as const) {
    assert.throws(() => readAttachments([join(folder, name)]), reason);
  }
  assert.throws(() => readAttachments(['https://example.com/a.png']), /curl -LO/);
  writeFileSync(join(folder, '-a"b\n.md'), 'text');
  assert.equal(readAttachments([join(folder, '-a"b\n.md')])[0]?.name, '_-a_b_.md');
});
