import type { BatchItem } from '@damask/contracts/batch-operations.ts';

/** A line as it is kept until its run is made. */
export interface StoredLine extends BatchItem {
  readonly line: number;
  /** The earlier line whose answer it shares. */
  readonly same?: number;
  /** Its subject was erased, and its texts with it: it is not run. */
  readonly erased?: true;
}

/** Consecutive good lines, as they are sealed together. */
export interface LineChunk {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly bytes: Buffer;
  /** Whether a line of it names a subject. */
  readonly subjects: boolean;
}

const chunkBytes = 256 * 1024;
const chunkLines = 1_000;

/** Gathers lines into chunks of a quarter of a megabyte; a longer line has one for itself. */
export function createLineChunks(): { add(line: StoredLine): LineChunk | undefined; flush(): LineChunk | undefined } {
  let parts: string[] = [];
  let size = 0;
  let first = 0;
  let last = 0;
  let subjects = false;
  const flush = () => {
    if (parts.length === 0) return undefined;
    const chunk = { first, last, count: parts.length, bytes: writeLineChunk(parts), subjects };
    parts = [];
    subjects = false;
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
      subjects ||= line.metadata?.subject !== undefined;
      return full;
    },
    flush,
  };
}

const writeLineChunk = (lines: readonly string[]) => Buffer.from(`[${lines.join(',')}]`);

export function readLineChunk(bytes: Buffer): StoredLine[] {
  return JSON.parse(bytes.toString('utf8')) as StoredLine[];
}
