import { quoteText } from '../library/quote-text.ts';
import { type ArchiveEntry, damaged, entriesAllowed, plainPath, readName } from './archive-entry.ts';
import { type PaxRecords, readPax, readTarHeader, type TarHeader } from './tar-header.ts';

const block = 512;
const longestMeta = 1024 * 1024;

/**
 * The entries of a tar file: plain, POSIX (pax) and GNU, with long names. Sparse files, parts of several volumes and whatever
 * else changes what a header means are refused.
 */
export function readTar(bytes: Buffer): ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  let forAll: PaxRecords = {};
  let forNext: PaxRecords = {};
  let at = 0;
  let headers = 0;
  for (;;) {
    if (at + block > bytes.length) throw damaged('has no end; it was cut off, or is no tar file');
    const raw = bytes.subarray(at, at + block);
    if (raw.every((byte) => byte === 0)) break;
    if (++headers > 3 * entriesAllowed) throw damaged(`holds more than ${entriesAllowed} entries`);
    const header = readTarHeader(raw, headers);
    const meta = isMeta(header.type);
    const size = meta ? header.size : (sizeOf(forNext) ?? sizeOf(forAll) ?? header.size);
    const start = at + block;
    const end = start + size;
    if (end > bytes.length) throw damaged(`ends within ${quoteText(header.name.toString('latin1'), 100)}`);
    at = start + Math.ceil(size / block) * block;
    if (meta) {
      if (size > longestMeta) throw damaged('has a header of more than 1 MiB');
      const text = bytes.subarray(start, end);
      if (header.type === 'g') forAll = { ...forAll, ...readPax(text) };
      else if (header.type === 'x') forNext = { ...forNext, ...readPax(text) };
      else if (header.type === 'L') forNext = { ...forNext, path: readName(withoutEnd(text), headers) };
      continue;
    }
    const records = { ...forAll, ...forNext };
    forNext = {};
    if (header.type === 'V') continue;
    if (entries.length === entriesAllowed) throw damaged(`holds more than ${entriesAllowed} entries`);
    const name = records.path ?? readName(header.name, headers);
    entries.push(toEntry(name, header, records, bytes.subarray(start, end)));
  }
  return entries.filter((entry) => entry.path !== '.' && entry.path !== '');
}

function isMeta(type: string): boolean {
  return type === 'x' || type === 'g' || type === 'L' || type === 'K';
}

function toEntry(name: string, { type }: TarHeader, records: PaxRecords, content: Buffer): ArchiveEntry {
  const sparse = Object.keys(records).find((key) => key.startsWith('GNU.sparse.'));
  if (type === 'S' || sparse !== undefined) throw damaged(`has ${quoteText(name, 200)} as a sparse file`);
  const kind = kindOf(type, name);
  if (kind === undefined) throw damaged(`has ${quoteText(name, 200)} as an entry of an unknown kind`);
  return { path: plainPath(name), kind, size: content.length, read: async () => content };
}

function kindOf(type: string, name: string): ArchiveEntry['kind'] | undefined {
  // Old tars know folders by the slash at their end only.
  if (type === '0' || type === '\0' || type === '7') return name.endsWith('/') ? 'folder' : 'file';
  if (type === '5') return 'folder';
  if (type === '1' || type === '2') return 'link';
  return type === '3' || type === '4' || type === '6' ? 'other' : undefined;
}

function sizeOf({ size }: PaxRecords): number | undefined {
  if (size === undefined) return undefined;
  const value = /^\d{1,15}$/.test(size) ? Number(size) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw damaged('states a size that is no number');
  return value;
}

const withoutEnd = (text: Buffer) => (text.at(-1) === 0 ? text.subarray(0, -1) : text);
