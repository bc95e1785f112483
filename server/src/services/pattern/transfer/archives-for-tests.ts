import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipPart {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  /** Unix mode with the kind of file; a plain file without. */
  readonly mode?: number;
  readonly stored?: boolean;
  readonly flags?: number;
  /** What the headers lie about. */
  readonly lie?: Partial<{
    size: number;
    packed: number;
    crc: number;
    localName: string;
    localSize: number;
    at: number;
    method: number;
  }>;
  /** Sizes in a wide field and, with `descriptor`, after the data. */
  readonly wide?: boolean;
  readonly descriptor?: boolean;
}

/** A zip file with exactly what the parts say, true or not. */
export function makeZip(
  parts: readonly ZipPart[],
  end: { count?: number; wide?: boolean; comment?: string } = {},
): Buffer {
  const body: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const part of parts) {
    const { lie = {}, descriptor = false, wide = false } = part;
    const name = Buffer.from(part.name as string);
    const content = Buffer.from((part.content ?? '') as string);
    const packed = part.stored ? content : deflateRawSync(content);
    const flags = (part.flags ?? 0x0800) | (descriptor ? 8 : 0);
    const method = lie.method ?? (part.stored ? 0 : 8);
    const crc = lie.crc ?? crc32(content);
    const size = lie.size ?? content.length;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    if (!descriptor) {
      local.writeUInt32LE(crc, 14);
      local.writeUInt32LE(lie.packed ?? packed.length, 18);
      local.writeUInt32LE(lie.localSize ?? size, 22);
    }
    const localName = lie.localName === undefined ? name : Buffer.from(lie.localName);
    local.writeUInt16LE(localName.length, 26);
    const after = descriptor ? Buffer.alloc(16) : Buffer.alloc(0);
    if (descriptor) {
      after.writeUInt32LE(0x08074b50, 0);
      after.writeUInt32LE(crc, 4);
      after.writeUInt32LE(packed.length, 8);
      after.writeUInt32LE(size, 12);
    }
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(0x031e, 4);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc, 16);
    central.writeUInt32LE(wide ? 0xffffffff : (lie.packed ?? packed.length), 20);
    central.writeUInt32LE(wide ? 0xffffffff : size, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(wide ? 20 : 0, 30);
    central.writeUInt32LE(((part.mode ?? 0o100644) << 16) >>> 0, 38);
    central.writeUInt32LE(lie.at ?? at, 42);
    const extra = Buffer.alloc(wide ? 20 : 0);
    if (wide) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(16, 2);
      extra.writeBigUInt64LE(BigInt(size), 4);
      extra.writeBigUInt64LE(BigInt(packed.length), 12);
    }
    directory.push(central, name, extra);
    body.push(local, localName, packed, after);
    at += local.length + localName.length + packed.length + after.length;
  }
  const listed = Buffer.concat(directory);
  return Buffer.concat([...body, listed, endOf(listed.length, at, end.count ?? parts.length, end)]);
}

function endOf(size: number, start: number, count: number, { wide = false, comment = '' }): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(wide ? 0xffff : Math.min(count, 0xffff), 8);
  record.writeUInt16LE(wide ? 0xffff : Math.min(count, 0xffff), 10);
  record.writeUInt32LE(wide ? 0xffffffff : size, 12);
  record.writeUInt32LE(wide ? 0xffffffff : start, 16);
  record.writeUInt16LE(Buffer.byteLength(comment), 20);
  const whole = Buffer.concat([record, Buffer.from(comment)]);
  if (!wide) return whole;
  const large = Buffer.alloc(76);
  large.writeUInt32LE(0x06064b50, 0);
  large.writeBigUInt64LE(44n, 4);
  large.writeBigUInt64LE(BigInt(count), 24);
  large.writeBigUInt64LE(BigInt(count), 32);
  large.writeBigUInt64LE(BigInt(size), 40);
  large.writeBigUInt64LE(BigInt(start), 48);
  large.writeUInt32LE(0x07064b50, 56);
  large.writeBigUInt64LE(BigInt(start + size), 64);
  large.writeUInt32LE(1, 72);
  return Buffer.concat([large, whole]);
}

export interface TarPart {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  readonly type?: string;
  readonly prefix?: string;
  readonly size?: number;
  /** Breaks the checksum. */
  readonly broken?: boolean;
}

/** A tar file with exactly what the parts say; `end: false` leaves its end out. */
export function makeTar(parts: readonly TarPart[], { end = true } = {}): Buffer {
  const pieces = parts.flatMap((part) => {
    const content = Buffer.from((part.content ?? '') as string);
    const header = Buffer.alloc(512);
    Buffer.from(part.name as string).copy(header, 0, 0, 100);
    header.write('0000644\0', 100);
    header.write(`${(part.size ?? content.length).toString(8).padStart(11, '0')} `, 124);
    header.write('00000000000 ', 136);
    header.write(part.type ?? '0', 156);
    header.write('ustar\0', 257);
    header.write('00', 263);
    if (part.prefix) header.write(part.prefix, 345);
    header.fill(' ', 148, 156);
    const sum = header.reduce((total, byte) => total + byte, part.broken ? 1 : 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...pieces, Buffer.alloc(end ? 1024 : 0)]);
}

/** One record of a pax header. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (`${length}`.length + Buffer.byteLength(rest) !== length) length++;
  return `${length}${rest}`;
}
