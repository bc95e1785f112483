import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AppError } from '#platform/app-error.ts';
import { makeTar, makeZip, paxRecord, type TarPart, type ZipPart } from './archives-for-tests.ts';
import { openArchive } from './open-archive.ts';
import { selectFiles } from './select-files.ts';

const good = { name: 'patterns/good/system.md', content: 'Be good.' };

async function read(bytes: Buffer, within?: string) {
  const { files, ignored } = await selectFiles(openArchive(bytes), within);
  return { files: Object.fromEntries(files.map(({ path, content }) => [path, content])), ignored };
}

async function refusal(bytes: Buffer): Promise<string> {
  try {
    await read(bytes);
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    assert.ok(['invalid_archive', 'invalid_tree'].includes(error.code));
    return error.message;
  }
  assert.fail('It was not refused');
}

test('zip files are read however they were written: stored, packed, streamed, wide, with a comment', async () => {
  const parts: ZipPart[] = [
    good,
    { name: 'patterns/', mode: 0o040755 },
    { name: 'patterns/b/system.md', content: 'Grüße\r\n', stored: true },
    { name: 'patterns/c/system.md', content: 'c'.repeat(100_000), descriptor: true },
    { name: 'patterns/größe/system.md', content: 'x', wide: true },
  ];
  for (const end of [{}, { wide: true }, { comment: 'a'.repeat(40) }]) {
    const { files } = await read(makeZip(parts, end));
    assert.deepEqual(Object.keys(files).length, 4);
    assert.equal(files['patterns/b/system.md'], 'Grüße\r\n');
    assert.equal(files['patterns/c/system.md']?.length, 100_000);
  }
});

test('tar files are read plain, packed, with long names of both kinds and numbers of both kinds', async () => {
  const long = `patterns/long/${'n'.repeat(150)}.md`;
  const parts: TarPart[] = [
    { name: 'pax_global_header', type: 'g', content: paxRecord('comment', 'a'.repeat(40)) },
    { name: './', type: '5' },
    { ...good, name: './patterns/good/system.md' },
    { name: 'PaxHeaders/x', type: 'x', content: paxRecord('path', long) + paxRecord('mtime', '1.5') },
    { name: long.slice(0, 99), content: 'pax' },
    { name: '././@LongLink', type: 'L', content: `${long}2\0` },
    { name: long.slice(0, 99), content: 'gnu' },
    { name: 'system.md', prefix: 'patterns/long', content: 'long' },
    { name: 'patterns/old/', type: '0' },
  ];
  for (const bytes of [makeTar(parts), gzipSync(makeTar(parts))]) {
    const { files } = await read(bytes);
    assert.deepEqual(files, {
      'patterns/good/system.md': 'Be good.',
      [long]: 'pax',
      [`${long}2`]: 'gnu',
      'patterns/long/system.md': 'long',
    });
  }
});

test('what surrounds a library is neither unpacked nor complained about', async () => {
  const bytes = makeZip([
    good,
    { name: 'web/logo.png', content: Buffer.alloc(2_000_000) },
    { name: 'bin/broken', content: 'x', lie: { crc: 1 } },
    { name: 'docs/latest', content: '../other', mode: 0o120777 },
    { name: 'patterns/good/picture.png', content: Buffer.from([0x89, 0x50, 0xff, 0]) },
    { name: '.env', content: 'KEY=secret' },
  ]);
  const { files, ignored } = await read(bytes);
  assert.deepEqual(Object.keys(files), ['patterns/good/system.md']);
  assert.deepEqual(
    ignored.map(({ path }) => path),
    ['web/logo.png', 'bin/broken', 'docs/latest', '.env', 'patterns/good/picture.png'],
  );
});

test('a folder in the archive can be named, and one that wraps everything is seen through', async () => {
  const parts = [
    { name: 'top/mine/a/system.md', content: 'a' },
    { name: 'top/mine/b/system.md', content: 'b' },
  ];
  assert.deepEqual((await read(makeZip(parts), 'top/mine')).files, { 'a/system.md': 'a', 'b/system.md': 'b' });
  const wrapped = parts.map(({ name, content }) => ({ name: name.slice(4), content }));
  assert.deepEqual((await read(makeTar(wrapped))).files, { 'a/system.md': 'a', 'b/system.md': 'b' });
});

test('an entry that could lead out of its folder refuses the whole archive, by name', async () => {
  const names: [string, RegExp][] = [
    ['../x', /holds "\.\."/],
    ['a/../../x', /holds "\.\."/],
    ['patterns/../../etc/passwd', /holds "\.\."/],
    ['/abs/system.md', /is absolute/],
    ['C:/x/system.md', /names a drive/],
    ['..\\x', /backslash/],
    ['patterns\\x\\system.md', /backslash/],
    ['a//b', /empty name/],
    ['a/./b', /holds "\."/],
    [`${'d/'.repeat(600)}x`, /longer than 1024/],
    ['a\u0007b', /control/],
  ];
  for (const [name, reason] of names) {
    assert.match(await refusal(makeZip([good, { name, content: 'x' }])), reason);
    const tarred: TarPart[] = [good, { name: 'h', type: 'x', content: paxRecord('path', name) }, { name: 'x' }];
    assert.match(await refusal(makeTar(tarred)), reason);
  }
  assert.match(await refusal(makeZip([good, { name: 'a\0b', content: 'x' }])), /NUL/);
  assert.match(await refusal(makeZip([good, { name: Buffer.from([0x66, 0xfc]), content: 'x' }])), /not UTF-8/);
  assert.match(await refusal(makeTar([good, { name: Buffer.from([0x66, 0xfc]) }])), /not UTF-8/);
});

test('links, devices and pipes among patterns refuse the whole, and so does a link above them', async () => {
  const link = { name: 'patterns/good/link.md', content: '/etc/passwd' };
  assert.match(await refusal(makeZip([good, { ...link, mode: 0o120777 }])), /link\.md" is a link/);
  for (const [type, kind] of [
    ['1', 'a link'],
    ['2', 'a link'],
    ['3', 'a device or pipe'],
    ['4', 'a device or pipe'],
    ['6', 'a device or pipe'],
  ] as const) {
    assert.match(await refusal(makeTar([good, { name: link.name, type }])), new RegExp(`link\\.md" is ${kind}`));
  }
  assert.match(await refusal(makeTar([{ name: 'patterns', type: '2' }, good])), /"patterns" is a link/);
  assert.match(await refusal(makeTar([{ name: 'Patterns/GOOD', type: '2' }, good])), /"Patterns\/GOOD" is a link/);
  assert.match(await refusal(makeZip([{ name: 'patterns/good', content: 'x' }, good])), /is a file and a folder/);
});

test('a zip whose headers lie, hide or overlap is refused', async () => {
  const cases: [Buffer, RegExp][] = [
    [makeZip([{ ...good, lie: { size: 3 } }]), /damaged, or larger than it says/],
    [makeZip([{ ...good, lie: { size: 300 } }]), /another size/],
    [makeZip([{ ...good, lie: { crc: 7 } }]), /checksum/],
    [makeZip([{ ...good, lie: { localName: 'patterns/evil/system.md' } }]), /different things/],
    [makeZip([{ ...good, lie: { localSize: 5 } }]), /different things/],
    [makeZip([{ ...good, lie: { packed: 100_000 } }]), /ends within/],
    [makeZip([{ ...good, flags: 0x0801 }]), /encrypted/],
    [makeZip([{ ...good, lie: { method: 12 } }]), /method 12/],
    [makeZip([good, { ...good, lie: { at: 0 } }]), /on the same bytes/],
    [makeZip([good], { count: 2 }), /broken directory/],
    [makeZip([good, good], { count: 1 }), /longer than its entries/],
    [makeZip([good], { count: 1_000_000, wide: true }), /1000000 entries/],
    [Buffer.concat([Buffer.from('PK  '), makeZip([good])]), /belong to nothing/],
    [makeZip([good]).subarray(0, -5), /no end/],
    [Buffer.from('PK\x03\x04'), /no end/],
  ];
  for (const [bytes, reason] of cases) assert.match(await refusal(bytes), reason);
});

test('a tar that is cut off, broken or of a kind that changes what names mean is refused', async () => {
  const cases: [Buffer, RegExp][] = [
    [makeTar([good], { end: false }), /cut off/],
    [makeTar([good]).subarray(0, 700), /cut off|ends within/],
    [makeTar([{ ...good, size: 100_000 }]), /ends within/],
    [makeTar([good, { ...good, broken: true }]), /broken header/],
    [makeTar([{ ...good, type: 'S' }]), /sparse/],
    [makeTar([{ name: 'x', type: 'x', content: paxRecord('GNU.sparse.major', '1') }, good]), /sparse/],
    [makeTar([{ ...good, type: 'M' }]), /unknown kind/],
    [makeTar([{ name: 'x', type: 'x', content: '99999 path=x\n' }, good]), /extended header/],
    [makeTar([{ name: 'x', type: 'x', content: paxRecord('size', '-1') }, good]), /no number/],
    [Buffer.alloc(2000, 'This is a letter and no archive. '), /no tar file/],
    [Buffer.from('short'), /neither zip nor tar/],
    [Buffer.alloc(0), /empty/],
    [Buffer.from('BZh91AY&SY'), /bzip2/],
    [gzipSync(makeTar([good])).subarray(0, 60), /damaged or was cut off/],
  ];
  for (const [bytes, reason] of cases) assert.match(await refusal(bytes), reason);
});

test('bombs are bounded by what comes out of them, and archives in archives are not opened', async () => {
  assert.match(await refusal(gzipSync(Buffer.alloc(40 * 1024 * 1024))), /unpacks to more than/);
  const big = { name: 'patterns/big/system.md', content: Buffer.alloc(3_000_000, 'x') };
  assert.match(await refusal(makeZip([big])), /big\/system\.md" holds more than 1048576 bytes/);
  assert.match(await refusal(makeZip([{ ...big, lie: { size: 10 } }])), /larger than it says/);
  const { files, ignored } = await read(makeZip([{ name: 'inner.zip', content: makeZip([good]) }]));
  assert.deepEqual([files, ignored.length], [{}, 1]);
});

test('text in another encoding is refused with the name of the file', async () => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('Hallo', 'utf16le')]);
  const latin1 = Buffer.from('Grüße', 'latin1');
  assert.match(
    await refusal(makeZip([{ ...good, content: utf16 }])),
    /good\/system\.md" is UTF-16 text; save it as UTF-8/,
  );
  assert.match(await refusal(makeTar([{ ...good, content: latin1 }])), /good\/system\.md" is not UTF-8 text/);
  assert.match(await refusal(makeTar([{ name: 'system.md', content: latin1 }])), /"system\.md" is not UTF-8 text/);
  assert.match(await refusal(makeZip([{ ...good, content: 'a\0b' }])), /NUL/);
  const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('Hi')]);
  assert.equal((await read(makeZip([{ ...good, content: marked }]))).files['patterns/good/system.md'], '\ufeffHi');
});
