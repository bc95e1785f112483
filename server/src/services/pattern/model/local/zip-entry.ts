import { type FileHandle, open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { AppError } from '#platform/app-error.ts';

export interface ZipEntryOptions {
  readonly archive: string;
  /** Full name of the entry. */
  readonly entry: string;
  /** Where the entry goes; must not exist. */
  readonly destination: string;
  readonly maxBytes: number;
  readonly onBytes?: (written: number) => void;
  readonly signal?: AbortSignal;
}

interface Entry {
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly headerAt: number;
}

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
const endSize = 22;
const longestComment = 0xffff;
const largestDirectory = 4 * 1024 * 1024;
const stored = 0;
const deflated = 8;

/**
 * Writes one entry of a zip file to `destination`, as a stream. Believes no size that the archive states: what comes out
 * may not exceed it, and must match it and the checksum. Rejects with `unavailable` when the archive is not as it says.
 */
export async function extractZipEntry(options: ZipEntryOptions): Promise<void> {
  const { archive, entry: name, destination, maxBytes, onBytes, signal } = options;
  const file = await open(archive, 'r');
  try {
    const { size } = await file.stat();
    const entry = findEntry(await readDirectory(file, size), name);
    if ((entry.flags & 1) !== 0) throw damaged(`${name} is encrypted`);
    if (entry.size > maxBytes) throw damaged(`${name} has ${entry.size} bytes, at most ${maxBytes} are expected`);
    const start = await findData(file, entry, size);
    const source = file.createReadStream({ start, end: start + entry.packed - 1, autoClose: false });
    const output = await open(destination, 'wx');
    const check = checkContent(entry, name, onBytes);
    const sink = output.createWriteStream({ flush: true });
    const steps = entry.method === deflated ? [source, createInflateRaw(), check, sink] : [source, check, sink];
    await pipeline(steps, signal ? { signal } : {});
  } catch (error) {
    if (error instanceof AppError || signal?.aborted) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    throw code.startsWith('Z_') ? damaged(`${name} cannot be unpacked (${code})`, error) : error;
  } finally {
    await file.close();
  }
}

async function readDirectory(file: FileHandle, fileSize: number): Promise<Buffer> {
  const tail = await readAt(file, Math.max(0, fileSize - endSize - longestComment), fileSize);
  for (let at = tail.length - endSize; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== endSignature) continue;
    if (at + endSize + tail.readUInt16LE(at + 20) !== tail.length) continue;
    const size = tail.readUInt32LE(at + 12);
    const start = tail.readUInt32LE(at + 16);
    if (size > largestDirectory || start + size > fileSize) throw damaged('its directory does not fit the file');
    return readAt(file, start, start + size);
  }
  throw damaged('it has no directory');
}

function findEntry(directory: Buffer, name: string): Entry {
  let found: Entry | undefined;
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === entrySignature; ) {
    const nameLength = directory.readUInt16LE(at + 28);
    const next = at + 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    if (directory.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      if (found) throw damaged(`${name} is in it twice`);
      found = {
        flags: directory.readUInt16LE(at + 8),
        method: directory.readUInt16LE(at + 10),
        crc: directory.readUInt32LE(at + 16),
        packed: directory.readUInt32LE(at + 20),
        size: directory.readUInt32LE(at + 24),
        headerAt: directory.readUInt32LE(at + 42),
      };
    }
    at = next;
  }
  if (!found) throw damaged(`${name} is not in it`);
  if (found.method !== stored && found.method !== deflated) throw damaged(`${name} is packed in an unknown way`);
  return found;
}

/** The data follow a second header whose name and extra field may have other lengths than in the directory. */
async function findData(file: FileHandle, entry: Entry, fileSize: number): Promise<number> {
  const header = await readAt(file, entry.headerAt, Math.min(fileSize, entry.headerAt + 30));
  if (header.length < 30 || header.readUInt32LE(0) !== localSignature) throw damaged('an entry has no header');
  const start = entry.headerAt + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (entry.packed === 0 || start + entry.packed > fileSize) throw damaged('an entry does not fit the file');
  return start;
}

function checkContent(entry: Entry, name: string, onBytes?: (written: number) => void): Transform {
  let written = 0;
  let sum = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      written += chunk.length;
      sum = crc32(chunk, sum);
      if (written > entry.size) return done(damaged(`${name} is longer than the ${entry.size} bytes it states`));
      onBytes?.(written);
      done(null, chunk);
    },
    flush(done) {
      if (written !== entry.size) return done(damaged(`${name} is shorter than the ${entry.size} bytes it states`));
      done(sum === entry.crc ? null : damaged(`the checksum of ${name} is wrong`));
    },
  });
}

async function readAt(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, end - start));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}

function damaged(what: string, cause?: unknown): AppError {
  return new AppError('unavailable', `The archive is not as it should be: ${what}. Fetch it again.`, {}, { cause });
}
