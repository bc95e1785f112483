import { crc32, inflateRawSync } from 'node:zlib';
import { quoteText } from '../library/quote-text.ts';
import { type ArchiveEntry, damaged, plainPath, readName } from './archive-entry.ts';
import { findDirectory } from './zip-directory.ts';

interface Header {
  readonly name: Buffer;
  readonly madeBy: number;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly attributes: number;
  readonly at: number;
}

const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
const none32 = 0xffffffff;
// Bits 0, 6 and 13: encrypted, strongly so, and with hidden headers.
const encrypted = 0x2041;
const hasDescriptor = 0x0008;
const unix = new Set([3, 19]);

/**
 * The entries of a zip file, from its directory. Every entry's own header must say the same as the directory, and no two share
 * bytes: readers that disagree on what an archive holds are how bombs and hidden files get through.
 */
export function readZip(bytes: Buffer): ArchiveEntry[] {
  const directory = findDirectory(bytes);
  const headers: Header[] = [];
  let at = directory.start;
  for (let index = 0; index < directory.count; index++) {
    const { header, next } = readHeader(bytes, at, directory.end);
    headers.push(header);
    at = next;
  }
  if (at !== directory.end) throw damaged('has a directory that is longer than its entries');
  const starts = headers.map((header) => checkLocal(bytes, header, directory.start));
  refuseOverlaps(headers, starts);
  return headers.map((header, index) => toEntry(bytes, header, starts[index] as number, index));
}

function readHeader(bytes: Buffer, at: number, end: number): { header: Header; next: number } {
  if (at + 46 > end || bytes.readUInt32LE(at) !== centralSignature) throw damaged('has a broken directory');
  const name = at + 46;
  const extra = name + bytes.readUInt16LE(at + 28);
  const comment = extra + bytes.readUInt16LE(at + 30);
  const next = comment + bytes.readUInt16LE(at + 32);
  if (next > end) throw damaged('has a broken directory');
  const large = wideSizes(bytes.subarray(extra, comment));
  const wide = (value: number) => (value === none32 ? large() : value);
  // In this order: the wide field holds only what did not fit, one after the other.
  const size = wide(bytes.readUInt32LE(at + 24));
  const packed = wide(bytes.readUInt32LE(at + 20));
  const offset = wide(bytes.readUInt32LE(at + 42));
  const header: Header = {
    name: bytes.subarray(name, extra),
    madeBy: bytes[at + 5] ?? 0,
    flags: bytes.readUInt16LE(at + 8),
    method: bytes.readUInt16LE(at + 10),
    crc: bytes.readUInt32LE(at + 16),
    packed,
    size,
    attributes: bytes.readUInt32LE(at + 38),
    at: offset,
  };
  return { header, next };
}

/** Reads the numbers of 64 bits that stand in an entry's extra field, one at each call. */
function wideSizes(extra: Buffer): () => number {
  let field: Buffer | undefined;
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) field = extra.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  let read = 0;
  return () => {
    if (!field || read + 8 > field.length) throw damaged('lacks the sizes of a large entry');
    const value = field.readBigUInt64LE(read);
    read += 8;
    return Number(value);
  };
}

/** Where the entry's data begins. Throws when its own header says something else than the directory. */
function checkLocal(bytes: Buffer, header: Header, end: number): number {
  const { at, name } = header;
  const shown = quoteText(name.toString('latin1'), 100);
  if (!Number.isSafeInteger(at) || at + 30 > end || bytes.readUInt32LE(at) !== localSignature) {
    throw damaged(`has no entry where its directory says that ${shown} is`);
  }
  const nameAt = at + 30;
  const extraAt = nameAt + bytes.readUInt16LE(at + 26);
  const start = extraAt + bytes.readUInt16LE(at + 28);
  if (start > end || start + header.packed > end) throw damaged(`ends within ${shown}`);
  const flags = bytes.readUInt16LE(at + 6);
  const later = (flags & hasDescriptor) !== 0;
  const same = (stated: number, expected: number) =>
    stated === expected || stated === none32 || (later && stated === 0);
  const agrees =
    bytes.subarray(nameAt, extraAt).equals(name) &&
    bytes.readUInt16LE(at + 8) === header.method &&
    (flags & encrypted) === (header.flags & encrypted) &&
    same(bytes.readUInt32LE(at + 14), header.crc) &&
    same(bytes.readUInt32LE(at + 18), header.packed) &&
    same(bytes.readUInt32LE(at + 22), header.size);
  if (!agrees) throw damaged(`says different things about ${shown} in its directory and at the entry`);
  return start;
}

function refuseOverlaps(headers: readonly Header[], starts: readonly number[]): void {
  const ranges = headers
    .map(({ at, packed, name }, index) => ({ at, end: (starts[index] as number) + packed, name }))
    .sort((a, b) => a.at - b.at);
  for (const [index, range] of ranges.entries()) {
    const next = ranges[index + 1];
    if (next && next.at < range.end) {
      throw damaged(`has two entries on the same bytes, ${quoteText(next.name.toString('latin1'), 100)} among them`);
    }
  }
}

function toEntry(bytes: Buffer, header: Header, start: number, index: number): ArchiveEntry {
  const name = readName(header.name, index + 1);
  const kind = kindOf(header, name);
  return {
    path: plainPath(name),
    kind,
    size: header.size,
    read: async () => unpack(bytes.subarray(start, start + header.packed), header, name),
  };
}

function kindOf({ madeBy, attributes }: Header, name: string): ArchiveEntry['kind'] {
  const type = unix.has(madeBy) ? (attributes >>> 16) & 0o170000 : 0;
  if (type === 0o120000) return 'link';
  if (type !== 0 && type !== 0o100000 && type !== 0o040000) return 'other';
  return name.endsWith('/') || type === 0o040000 ? 'folder' : 'file';
}

function unpack(packed: Buffer, { flags, method, size, crc }: Header, name: string): Buffer {
  const shown = quoteText(name, 200);
  if ((flags & encrypted) !== 0) throw damaged(`has ${shown} encrypted`);
  if (method !== 0 && method !== 8) throw damaged(`has ${shown} packed in a way that is not read (method ${method})`);
  let content = packed;
  if (method === 8) {
    try {
      content = inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
    } catch (cause) {
      throw damaged(`has ${shown} damaged, or larger than it says`, cause);
    }
  }
  if (content.length !== size || crc32(content) !== crc)
    throw damaged(`has ${shown} with another size or checksum than it says`);
  return content;
}
