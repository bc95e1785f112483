import { type FrameKey, type FrameKind, pack, sealFrame } from './frames.ts';
import type { Destination } from './place.ts';

/** Frames on their way: a few are compressed at the same time, and written in order. */
const mostUnderWay = 4;

export interface FrameWriter {
  /** Waits when too much is on its way. */
  add(kind: FrameKind, body: Buffer): Promise<void>;
  /** Writes the last frame. Answers where it begins and its number. */
  finish(kind: FrameKind, body: Buffer): Promise<{ offset: number; number: number }>;
  /** Bytes that were written. */
  readonly written: number;
}

export function createFrameWriter(destination: Destination, key: FrameKey, from: number): FrameWriter {
  const underWay: Promise<Buffer>[] = [];
  let written = from;
  let number = 0;
  const writeOldest = async (last: boolean) => {
    const packed = await (underWay.shift() as Promise<Buffer>);
    const sealed = sealFrame(key, number, packed, last);
    await destination.write(sealed);
    written += sealed.length;
    number += 1;
  };
  const begin = (kind: FrameKind, body: Buffer) => {
    const packed = pack(kind, body);
    // Awaited in its turn; until then a failure must not count as one that nobody heard.
    packed.catch(() => undefined);
    underWay.push(packed);
  };
  return {
    async add(kind, body) {
      begin(kind, body);
      while (underWay.length >= mostUnderWay) await writeOldest(false);
    },
    async finish(kind, body) {
      while (underWay.length > 0) await writeOldest(false);
      const place = { offset: written, number };
      begin(kind, body);
      await writeOldest(true);
      return place;
    },
    get written() {
      return written;
    },
  };
}
