import type { Hash } from 'node:crypto';
import { AppError } from '#platform/app-error.ts';
import type { Upload } from '#platform/call.ts';
import type { LineThread } from './line-threads.ts';
import { createLineReader, type ReadOptions, type ReadPiece } from './read-lines.ts';

/**
 * Bytes that are read at once. An upload of no more is read here, since a thread would take longer to begin; of a larger one a
 * sender who drips it byte by byte would have each line put together as often.
 */
const pieceBytes = 64 * 1024;

export interface UploadReading {
  /** Where a large upload is read. */
  readonly open: (options: ReadOptions) => Promise<LineThread>;
  /** Sees every byte. */
  readonly hash: Hash | undefined;
  readonly bytesLimit: number;
}

/**
 * Reads an upload while it comes: a small one here, a large one in another thread, where one piece is read while the one before
 * it is stored. Throws `too_large` beyond the limit.
 */
export async function* readUploadLines(
  upload: Upload,
  options: ReadOptions,
  { open, hash, bytesLimit }: UploadReading,
): AsyncGenerator<ReadPiece> {
  let held: Uint8Array[] = [];
  let size = 0;
  let gathered = 0;
  let thread: LineThread | undefined;
  let next: Promise<ReadPiece> | undefined;
  try {
    for await (const bytes of upload.bytes) {
      hash?.update(bytes);
      held.push(bytes);
      size += bytes.length;
      if (size > bytesLimit) {
        throw new AppError('too_large', `An upload may have at most ${bytesLimit} bytes here. Send several batches.`);
      }
      gathered += bytes.length;
      if (gathered <= pieceBytes) continue;
      thread ??= await open(options);
      const piece = Buffer.concat(held);
      held = [];
      gathered = 0;
      const ready = await next;
      next = thread.take(piece, false);
      // It is awaited in the next round; a rejection until then must not end the process.
      next.catch(() => undefined);
      if (ready) yield ready;
    }
    if (!thread) {
      // No more lines than bytes: the table of their hashes is as small.
      const linesLimit = Math.min(options.linesLimit, size + 1);
      yield createLineReader({ ...options, linesLimit }).take(Buffer.concat(held), true);
      return;
    }
    if (next) yield await next;
    yield await thread.take(Buffer.concat(held), true);
  } finally {
    await thread?.close();
  }
}
