import { crc32, deflateRawSync } from 'node:zlib';

export interface TestZipEntry {
  readonly name: string;
  readonly data: Buffer;
  readonly method?: 0 | 8 | 12;
  readonly flags?: number;
  /** What the directory states instead of the truth. */
  readonly lies?: {
    readonly size?: number;
    readonly packed?: number;
    readonly crc?: number;
    readonly headerAt?: number;
  };
}

/** A zip file, as honest as its entries. */
export function zipOf(entries: readonly TestZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, method = 8, flags = 0, lies = {} } of entries) {
    const packed = method === 8 ? deflateRawSync(data) : data;
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(flags, 2);
    facts.writeUInt16LE(method, 4);
    facts.writeUInt32LE(lies.crc ?? crc32(data), 10);
    facts.writeUInt32LE(lies.packed ?? packed.length, 14);
    facts.writeUInt32LE(lies.size ?? data.length, 18);
    facts.writeUInt16LE(Buffer.byteLength(name), 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(lies.headerAt ?? at, 10);
    files.push(Buffer.from('PK\x03\x04'), facts, Buffer.from(name), packed);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), facts, tail, Buffer.from(name));
    at += 30 + Buffer.byteLength(name) + packed.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...files, list, end]);
}
