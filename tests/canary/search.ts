import { constants, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { type Canary, formsOf } from './canary.ts';

export interface Hit {
  readonly canary: Canary;
  readonly form: string;
  /** Where: the name of a sink, and what had to be unpacked there. */
  readonly sink: string;
  /** What stands before and behind it. */
  readonly around: string;
}

export interface Search {
  /** All that is found in these bytes and in what is compressed in them. */
  look(sink: string, content: Buffer | string): Hit[];
  readonly bytes: number;
}

const deepest = 3;
const most = 256 * 1024 * 1024;
/** What is cut off is looked at as far as it goes. */
const given = { maxOutputLength: most, finishFlush: constants.Z_SYNC_FLUSH };

/** How compressed bytes begin, and what undoes it; a stream of zlib begins with too little to be looked for everywhere. */
const packings: readonly (readonly [name: string, magic: Buffer, unpack: (bytes: Buffer) => Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08]), gunzip],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), (bytes) => zstdDecompressSync(bytes, { maxOutputLength: most })],
  ['zip', Buffer.from([0x50, 0x4b, 0x03, 0x04]), unzip],
  ['zlib', Buffer.from([0x78, 0x9c]), (bytes) => inflateSync(bytes, given)],
];

/** Past its head by hand: Node takes nothing that stands behind it. */
function gunzip(bytes: Buffer): Buffer {
  const flags = bytes.readUInt8(3);
  let at = 10;
  if (flags & 4) at += 2 + bytes.readUInt16LE(at);
  for (const text of [8, 16]) if (flags & text) at = bytes.indexOf(0, at) + 1;
  if (flags & 2) at += 2;
  return inflateRawSync(bytes.subarray(at), given);
}

function unzip(bytes: Buffer): Buffer {
  const begins = 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28);
  return bytes.readUInt16LE(8) === 0 ? Buffer.alloc(0) : inflateRawSync(bytes.subarray(begins), given);
}

interface Needle {
  readonly canary: Canary;
  readonly form: string;
  readonly bytes: Buffer;
}

const slots = 1 << 16;
const slotOf = (head: number) => (Math.imul(head, 0x9e3779b1) >>> 16) & (slots - 1);

/** Looks for all canaries in all forms in one pass over the bytes. */
export function createSearch(canaries: readonly Canary[]): Search {
  const byHead = new Map<number, Needle[]>();
  const mayBegin = new Uint8Array(slots);
  for (const canary of canaries) {
    for (const [form, bytes] of formsOf(canary.core)) {
      const head = bytes.readInt32BE(0);
      byHead.set(head, [...(byHead.get(head) ?? []), { canary, form, bytes }]);
      mayBegin[slotOf(head)] = 1;
    }
  }
  let seen = 0;

  function scan(sink: string, content: Buffer): Hit[] {
    const hits: Hit[] = [];
    seen += content.length;
    let head = 0;
    for (let at = 0; at < content.length; at++) {
      head = (head << 8) | (content[at] as number);
      if (mayBegin[slotOf(head)] === 0) continue;
      const start = at - 3;
      for (const { canary, form, bytes } of byHead.get(head) ?? []) {
        if (start < 0 || bytes.compare(content, start, Math.min(start + bytes.length, content.length)) !== 0) continue;
        const around = content.subarray(Math.max(0, start - 120), start + bytes.length + 60).toString('latin1');
        hits.push({ canary, form, sink, around });
      }
    }
    return hits;
  }

  function look(sink: string, content: Buffer, depth: number): Hit[] {
    const hits = scan(sink, content);
    if (depth === deepest) return hits;
    for (const [name, magic, unpack] of packings) {
      for (let at = content.indexOf(magic); at >= 0; at = content.indexOf(magic, at + 1)) {
        const inside = attempt(() => unpack(content.subarray(at)));
        if (inside && inside.length > 0) hits.push(...look(`${sink} (${name})`, inside, depth + 1));
      }
    }
    return hits;
  }

  return {
    look: (sink, content) => look(sink, Buffer.isBuffer(content) ? content : Buffer.from(content), 0),
    get bytes() {
      return seen;
    },
  };
}

/** What only looks compressed is not. */
function attempt(work: () => Buffer): Buffer | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
