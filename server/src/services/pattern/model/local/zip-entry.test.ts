import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type TestZipEntry, zipOf } from './test-zip.ts';
import { extractZipEntry } from './zip-entry.ts';

const directory = await mkdtemp(join(tmpdir(), 'damask-zip-'));
after(() => rm(directory, { recursive: true, force: true }));

const letters = Buffer.from('abcdefghij'.repeat(50_000));
let count = 0;

async function extract(zip: Buffer, entry = 'wanted', maxBytes = letters.length): Promise<Buffer> {
  const archive = join(directory, `${++count}.zip`);
  const destination = join(directory, `${count}.out`);
  await writeFile(archive, zip);
  await extractZipEntry({ archive, entry, destination, maxBytes });
  return readFile(destination);
}

test('one entry of several comes out as it went in, packed or stored', async () => {
  const others: TestZipEntry[] = [
    { name: 'before', data: Buffer.from('x') },
    { name: 'folder/wanted', data: Buffer.from('y') },
  ];
  for (const method of [0, 8] as const) {
    const zip = zipOf([
      ...others,
      { name: 'wanted', data: letters, method },
      { name: 'after', data: Buffer.from('z') },
    ]);
    assert.deepEqual(await extract(zip), letters);
  }
  const commented = zipOf([{ name: 'wanted', data: letters }]);
  commented.writeUInt16LE(7, commented.length - 2);
  assert.deepEqual(await extract(Buffer.concat([commented, Buffer.from('PK\x05\x06...')])), letters);
});

test('progress is told up to the full size', async () => {
  const archive = join(directory, 'progress.zip');
  await writeFile(archive, zipOf([{ name: 'wanted', data: letters }]));
  const seen: number[] = [];
  const destination = join(directory, 'progress.out');
  const onBytes = (written: number) => void seen.push(written);
  await extractZipEntry({ archive, entry: 'wanted', destination, maxBytes: letters.length, onBytes });
  assert.equal(seen.at(-1), letters.length);
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
});

test('an archive that lies is refused', async () => {
  const wanted = { name: 'wanted', data: letters };
  const cases: [string, Buffer, RegExp][] = [
    ['not a zip at all', Buffer.alloc(1000, 7), /no directory/],
    ['empty', Buffer.alloc(0), /no directory/],
    ['entry missing', zipOf([{ name: 'other', data: letters }]), /wanted is not in it/],
    ['entry twice', zipOf([wanted, { ...wanted, data: Buffer.from('evil') }]), /twice/],
    ['larger than allowed', zipOf([{ ...wanted, data: Buffer.concat([letters, letters]) }]), /at most/],
    ['bomb that states a small size', zipOf([{ ...wanted, lies: { size: 1000 } }]), /longer than the 1000 bytes/],
    ['shorter than stated', zipOf([{ ...wanted, lies: { size: letters.length - 1 } }]), /longer than/],
    [
      'states more than it has',
      zipOf([{ name: 'wanted', data: Buffer.from('ab'), lies: { size: 3 } }]),
      /shorter than/,
    ],
    ['wrong checksum', zipOf([{ ...wanted, lies: { crc: 1 } }]), /checksum/],
    ['cut data', zipOf([{ ...wanted, lies: { packed: 100 } }]), /cannot be unpacked/],
    ['data beyond the file', zipOf([{ ...wanted, lies: { packed: 0x7fffffff } }]), /does not fit the file/],
    ['header beyond the file', zipOf([{ ...wanted, lies: { headerAt: 0xffffffff } }]), /has no header/],
    ['header elsewhere', zipOf([{ ...wanted, lies: { headerAt: 5 } }]), /has no header/],
    ['encrypted', zipOf([{ ...wanted, flags: 1 }]), /encrypted/],
    ['unknown packing', zipOf([{ ...wanted, method: 12 }]), /unknown way/],
  ];
  for (const [name, zip, message] of cases) {
    await assert.rejects(extract(zip), { code: 'unavailable', message }, name);
  }
});

test('an archive that was damaged anywhere never gives another content', async () => {
  const data = Buffer.from('0123456789'.repeat(20));
  const zip = zipOf([{ name: 'wanted', data }]);
  let refused = 0;
  for (let at = 0; at < zip.length; at++) {
    const damaged = Buffer.from(zip);
    damaged[at] = (damaged[at] as number) ^ 0x55;
    const content = await extract(damaged, 'wanted', data.length).catch((error: { code?: string }) => {
      assert.equal(error.code, 'unavailable', `byte ${at}: ${error}`);
      refused++;
      return data;
    });
    assert.deepEqual(content, data, `byte ${at}`);
  }
  assert.ok(refused > zip.length / 4, `${refused} of ${zip.length} refused`);
});
