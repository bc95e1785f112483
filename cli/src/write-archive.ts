import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { InputError } from './input-error.ts';

export interface ArchiveFile {
  readonly path: string;
  readonly content: string;
}

export type ArchiveKind = 'zip' | 'tar' | 'tar.gz';

/** The bytes of an archive. The same files give the same bytes: nothing in it depends on when or where it is made. */
export function writeArchive(kind: ArchiveKind, files: readonly ArchiveFile[]): Buffer {
  if (kind === 'zip') return zip(files);
  return kind === 'tar' ? tar(files) : gzipSync(tar(files));
}

// 1 January 1980, where the zip format's time begins.
const zipDate = 0x21;
const utf8Names = 0x0800;
const deflated = 8;

function zip(files: readonly ArchiveFile[]): Buffer {
  if (files.length > 0xffff) throw new InputError('A zip holds at most 65,535 files. Export to a .tgz.');
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { path, content } of files) {
    const name = Buffer.from(path);
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(utf8Names, 2);
    common.writeUInt16LE(deflated, 4);
    common.writeUInt16LE(zipDate, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    parts.push(signed('PK\x03\x04'), common, name, packed);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((0o100644 << 16) >>> 0, 6);
    rest.writeUInt32LE(at, 10);
    // Made by 2.0 on Unix, so that the mode of the file counts.
    directory.push(signed('PK\x01\x02'), Buffer.from([20, 3]), common, rest, name);
    at += 30 + name.length + packed.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, listed, signed('PK\x05\x06'), end]);
}

const signed = (signature: string) => Buffer.from(signature, 'latin1');

function tar(files: readonly ArchiveFile[]): Buffer {
  const parts = files.flatMap(({ path, content }) => {
    const name = Buffer.from(path);
    const bytes = Buffer.from(content);
    // What does not fit into a header stands in one of its own before it (POSIX pax).
    const record = name.length > 100 ? Buffer.from(paxRecord('path', path)) : undefined;
    return [
      ...(record ? [tarHeader(Buffer.from('pax'), record.length, 'x'), padded(record)] : []),
      tarHeader(name.subarray(0, 100), bytes.length, '0'),
      padded(bytes),
    ];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** The header of a member of a tar; its name has at most 100 bytes. */
export function tarHeader(name: Buffer, size: number, type: string): Buffer {
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
