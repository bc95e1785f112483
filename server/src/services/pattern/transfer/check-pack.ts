import { inflateSync } from 'node:zlib';
import { AppError } from '#platform/app-error.ts';

export interface PackLimits {
  readonly objects: number;
  /** Bytes of one object when unpacked. */
  readonly objectBytes: number;
  /** Of all objects together. */
  readonly totalBytes: number;
}

const offsetDelta = 6;
const referenceDelta = 7;
const checksumBytes = 20;
/** Deltas on deltas: the most that git itself writes. */
const deltasInARow = 4095;

/**
 * Reads a pack of git objects once from end to end, with bounds on number and sizes, before a library that has none does. A delta of a
 * few bytes can ask for gigabytes. Throws `invalid_repository`.
 */
export function checkPack(pack: Buffer, limits: PackLimits): void {
  if (pack.length < 12 + checksumBytes || pack.toString('latin1', 0, 4) !== 'PACK') throw broken('is no pack');
  const count = pack.readUInt32BE(8);
  if (count > limits.objects) throw tooLarge(`${count} objects; at most ${limits.objects} are read`);
  let at = 12;
  let total = 0;
  // By where an object begins: how many deltas are in a row there.
  const rows = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const header = readHeader(pack, at);
    rows.set(at, header.base === undefined ? 0 : rowOf(rows, header.base));
    if (header.size > limits.objectBytes) throw tooLarge(`an object of ${header.size} bytes`);
    const { content, next } = inflate(pack, header.next, header.size);
    const size = header.isDelta ? resultOfDelta(content) : header.size;
    total += size;
    if (size > limits.objectBytes) throw tooLarge(`an object of ${size} bytes`);
    if (total > limits.totalBytes) throw tooLarge(`more than ${limits.totalBytes} bytes in all`);
    at = next;
  }
  if (at !== pack.length - checksumBytes) throw broken('is longer than its objects');
}

/** A delta stands on an object before it: one on itself, or a long row of them, is followed until memory ends. */
function rowOf(rows: ReadonlyMap<number, number>, base: number): number {
  const before = rows.get(base);
  if (before === undefined) throw broken('has a delta on what is no object before it');
  if (before === deltasInARow) throw tooLarge(`more than ${deltasInARow} deltas in a row`);
  return before + 1;
}

interface ObjectHeader {
  readonly size: number;
  readonly isDelta: boolean;
  /** Where the object begins that a delta stands on, when the pack says it by its place. */
  readonly base: number | undefined;
  readonly next: number;
}

function readHeader(pack: Buffer, start: number): ObjectHeader {
  let at = start;
  let byte = byteAt(pack, at++);
  const type = (byte >> 4) & 7;
  let size = byte & 15;
  for (let shift = 4; (byte & 0x80) !== 0; shift += 7) {
    if (shift > 46) throw broken('states a size that is no number');
    byte = byteAt(pack, at++);
    size += (byte & 0x7f) * 2 ** shift;
  }
  let base: number | undefined;
  if (type === offsetDelta) {
    byte = byteAt(pack, at++);
    let distance = byte & 0x7f;
    while ((byte & 0x80) !== 0) {
      byte = byteAt(pack, at++);
      distance = (distance + 1) * 128 + (byte & 0x7f);
    }
    base = start - distance;
  }
  if (type === referenceDelta) at += 20;
  if (type === 0 || type === 5) throw broken('has an object of an unknown kind');
  return { size, isDelta: type === offsetDelta || type === referenceDelta, base, next: at };
}

function inflate(pack: Buffer, at: number, size: number): { content: Buffer; next: number } {
  try {
    const { buffer, engine } = inflateSync(pack.subarray(at, pack.length - checksumBytes), {
      info: true,
      maxOutputLength: Math.max(1, size),
      chunkSize: Math.max(64, Math.min(size + 1, 1024 * 1024)),
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    if (buffer.length !== size) throw broken('has an object of another size than it says');
    return { content: buffer, next: at + engine.bytesWritten };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw broken('has an object that cannot be unpacked', cause);
  }
}

/** A delta begins with the sizes of what it is applied to and of what comes out. */
function resultOfDelta(delta: Buffer): number {
  let at = 0;
  const next = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = byteAt(delta, at++);
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) return value;
      if (shift > 42) throw broken('has a broken delta');
    }
  };
  next();
  return next();
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw broken('was cut off');
  return byte;
}

function broken(detail: string, cause?: unknown): AppError {
  return new AppError('invalid_repository', `Nothing was imported: what the git server sent ${detail}.`, {}, { cause });
}

function tooLarge(detail: string): AppError {
  return new AppError(
    'invalid_repository',
    `Nothing was imported: the commit holds ${detail}. Import from a smaller repository, or from a folder.`,
  );
}
