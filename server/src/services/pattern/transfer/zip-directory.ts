import { damaged, entriesAllowed } from './archive-entry.ts';

export interface ZipDirectory {
  readonly count: number;
  readonly start: number;
  /** Where the directory ends and the end record begins. */
  readonly end: number;
}

const endSignature = 0x06054b50;
const wideEndSignature = 0x06064b50;
const wideLocatorSignature = 0x07064b50;
const endSize = 22;
const longestComment = 0xffff;

/**
 * Finds the one directory of a zip file, small or wide (zip64). It must end where the end record begins, and the record where the
 * file does: bytes before, between or after are where a second archive hides.
 */
export function findDirectory(bytes: Buffer): ZipDirectory {
  const endAt = findEnd(bytes);
  const { count, size, start, end } = readWide(bytes, endAt) ?? readSmall(bytes, endAt);
  if (count > entriesAllowed) throw damaged(`holds ${count} entries; at most ${entriesAllowed} are read`);
  if (start + size !== end) throw damaged('has bytes around its directory that belong to nothing');
  return { count, start, end };
}

function findEnd(bytes: Buffer): number {
  for (let at = bytes.length - endSize; at >= Math.max(0, bytes.length - endSize - longestComment); at--) {
    if (bytes.readUInt32LE(at) === endSignature && at + endSize + bytes.readUInt16LE(at + 20) === bytes.length)
      return at;
  }
  throw damaged('has no end; it was cut off, or is no zip file');
}

function readSmall(bytes: Buffer, at: number) {
  const disks = bytes.readUInt32LE(at + 4);
  const count = bytes.readUInt16LE(at + 10);
  if (disks !== 0 || bytes.readUInt16LE(at + 8) !== count) throw damaged('is one part of several');
  return { count, size: bytes.readUInt32LE(at + 12), start: bytes.readUInt32LE(at + 16), end: at };
}

function readWide(bytes: Buffer, endAt: number) {
  const locator = endAt - 20;
  if (locator < 0 || bytes.readUInt32LE(locator) !== wideLocatorSignature) return undefined;
  const at = Number(bytes.readBigUInt64LE(locator + 8));
  if (!Number.isSafeInteger(at) || at + 56 > locator || bytes.readUInt32LE(at) !== wideEndSignature) {
    throw damaged('has a broken directory');
  }
  const [count, here] = [Number(bytes.readBigUInt64LE(at + 32)), Number(bytes.readBigUInt64LE(at + 24))];
  if (bytes.readUInt32LE(at + 16) !== 0 || bytes.readUInt32LE(at + 20) !== 0 || here !== count) {
    throw damaged('is one part of several');
  }
  // What the small record says too must agree, unless it says "look there".
  const small = { count: bytes.readUInt16LE(endAt + 10), start: bytes.readUInt32LE(endAt + 16) };
  const start = Number(bytes.readBigUInt64LE(at + 48));
  if ((small.count !== 0xffff && small.count !== count) || (small.start !== 0xffffffff && small.start !== start)) {
    throw damaged('has two directories that differ');
  }
  return { count, size: Number(bytes.readBigUInt64LE(at + 40)), start, end: at };
}
