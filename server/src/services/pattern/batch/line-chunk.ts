import type { BatchItem } from '@damask/contracts/batch-operations.ts';

/** A line as it is kept until its run is made. */
export interface StoredLine extends BatchItem {
  readonly line: number;
  /** The earlier line whose answer it shares. */
  readonly same?: number;
}

/** Consecutive good lines, as they are sealed together. */
export interface LineChunk {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly bytes: Buffer;
}

const chunkBytes = 256 * 1024;
const chunkLines = 1_000;

/** Gathers lines into chunks of a quarter of a megabyte; a longer line has one for itself. */
export function createLineChunks(): { add(line: StoredLine): LineChunk | undefined; flush(): LineChunk | undefined } {
  let parts: string[] = [];
  let size = 0;
  let first = 0;
  let last = 0;
  const flush = () => {
    if (parts.length === 0) return undefined;
    const chunk = { first, last, count: parts.length, bytes: Buffer.from(`[${parts.join(',')}]`) };
    parts = [];
    size = 0;
    return chunk;
  };
  return {
    add(line) {
      const text = JSON.stringify(line);
      const full = parts.length >= chunkLines || (size > 0 && size + text.length > chunkBytes) ? flush() : undefined;
      if (parts.length === 0) first = line.line;
      last = line.line;
      size += text.length;
      parts.push(text);
      return full;
    },
    flush,
  };
}

export function readLineChunk(bytes: Buffer): StoredLine[] {
  return JSON.parse(bytes.toString('utf8')) as StoredLine[];
}
