import { damaged, readName } from './archive-entry.ts';

export interface TarHeader {
  /** With the prefix that POSIX headers have. */
  readonly name: Buffer;
  readonly size: number;
  /** One character, as it stands there. */
  readonly type: string;
}

/** What a pax header says of the next entry, or of all that follow. */
export type PaxRecords = Readonly<Record<string, string>>;

/** One header of 512 bytes, which is not empty. Throws `invalid_archive` when its checksum is wrong. */
export function readTarHeader(raw: Buffer, which: number): TarHeader {
  const stated = readNumber(raw.subarray(148, 156));
  let sum = 8 * 0x20;
  for (let at = 0; at < 512; at++) if (at < 148 || at >= 156) sum += raw[at] as number;
  if (stated !== sum) {
    throw damaged(which === 1 ? 'is no tar file' : `has a broken header (entry ${which})`);
  }
  const posix = raw.subarray(257, 263).equals(Buffer.from('ustar\0'));
  const name = upToNul(raw.subarray(0, 100));
  const prefix = posix ? upToNul(raw.subarray(345, 500)) : Buffer.alloc(0);
  const size = readNumber(raw.subarray(124, 136));
  if (size === undefined) throw damaged(`states a size that is no number (entry ${which})`);
  const type = String.fromCharCode(raw[156] as number);
  // Links, devices and folders have no content, whatever their size says.
  const empty = /[1-6]/.test(type);
  return {
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    size: empty ? 0 : size,
    type,
  };
}

/** Octal text, or GNU's binary form for what octal digits cannot say. */
function readNumber(field: Buffer): number | undefined {
  if (((field[0] as number) & 0x80) !== 0) {
    let value = (field[0] as number) & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const digits = upToNul(field).toString('latin1').trim();
  if (digits === '') return 0;
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function upToNul(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return end === -1 ? field : field.subarray(0, end);
}

/** `length key=value\n`, again and again. */
export function readPax(bytes: Buffer): PaxRecords {
  const records: Record<string, string> = Object.create(null);
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space === -1 ? '' : bytes.subarray(at, space).toString('latin1');
    const end = at + Number(digits);
    if (!/^[1-9]\d{0,6}$/.test(digits) || end > bytes.length || bytes[end - 1] !== 0x0a || end <= space + 1) {
      throw damaged('has a broken extended header');
    }
    const record = bytes.subarray(space + 1, end - 1);
    const equals = record.indexOf(0x3d);
    if (equals < 1) throw damaged('has a broken extended header');
    const key = record.subarray(0, equals).toString('latin1');
    // Only names must be text; other programs keep bytes of their own here.
    if (key === 'path') records.path = readName(record.subarray(equals + 1), 0);
    else records[key] = record.subarray(equals + 1).toString('latin1');
    at = end;
  }
  return records;
}
