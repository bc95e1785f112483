import { promisify } from 'node:util';
import { crc32, deflateRaw } from 'node:zlib';
import type { PatternFile } from '@damask/contracts/pattern.ts';

type Files = AsyncIterable<PatternFile>;

const deflate = promisify(deflateRaw);
// 1 January 1980, where the zip format's time begins: the same content gives the same bytes.
const zipDate = 0x21;
const utf8Names = 0x0800;
const deflated = 8;

/** A zip file, piece by piece. At most 65,535 files. */
export async function* writeZip(files: Files): AsyncGenerator<Buffer> {
  const directory: Buffer[] = [];
  let at = 0;
  let count = 0;
  for await (const { path, content } of files) {
    const name = Buffer.from(path);
    const bytes = Buffer.from(content);
    const packed = await deflate(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(utf8Names, 2);
    common.writeUInt16LE(deflated, 4);
    common.writeUInt16LE(zipDate, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    yield Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, name, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((0o100644 << 16) >>> 0, 6);
    rest.writeUInt32LE(at, 10);
    // Made by 2.0 on Unix, so that the mode of the file counts.
    directory.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, rest, name);
    at += 30 + name.length + packed.length;
    count += 1;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(at, 12);
  yield Buffer.concat([listed, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

/** A tar file, piece by piece. */
export async function* writeTar(files: Files): AsyncGenerator<Buffer> {
  for await (const { path, content } of files) {
    const name = Buffer.from(path);
    const bytes = Buffer.from(content);
    // What does not fit into a header stands in one of its own before it (POSIX pax).
    const record = name.length > 100 ? Buffer.from(paxRecord('path', path)) : undefined;
    if (record) yield Buffer.concat([header(Buffer.from('pax'), record.length, 'x'), padded(record)]);
    yield Buffer.concat([header(name.subarray(0, 100), bytes.length, '0'), padded(bytes)]);
  }
  yield Buffer.alloc(1024);
}

function header(name: Buffer, size: number, type: string): Buffer {
  const block = Buffer.alloc(512);
  name.copy(block);
  block.write('0000644\x000000000\x000000000\0', 100, 'latin1');
  block.write(`${size.toString(8).padStart(11, '0')}\x0000000000000\0        ${type}`, 124, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (`${length}`.length + Buffer.byteLength(rest) !== length) length += 1;
  return `${length}${rest}`;
}
