import type { Hash } from 'node:crypto';
import type { Upload } from '#platform/call.ts';
import type { LineThread } from './line-threads.ts';
import { createLineReader, type ReadOptions, type ReadPiece } from './read-lines.ts';

const nothing = Buffer.alloc(0);
/** Bytes that are read here: a thread would take longer to begin. */
const readHere = 64 * 1024;

/**
 * Reads an upload while it comes: a small one here, a large one in another thread, where one piece is read while the one before
 * it is stored. `hash` sees every byte.
 */
export async function* readUploadLines(
  upload: Upload,
  options: ReadOptions,
  { open, hash }: { readonly open: (options: ReadOptions) => Promise<LineThread>; readonly hash: Hash | undefined },
): AsyncGenerator<ReadPiece> {
  let held: Uint8Array[] = [];
  let size = 0;
  let thread: LineThread | undefined;
  let next: Promise<ReadPiece> | undefined;
  try {
    for await (const bytes of upload.bytes) {
      hash?.update(bytes);
      if (!thread) {
        held.push(bytes);
        size += bytes.length;
        if (size <= readHere) continue;
        thread = await open(options);
      }
      const piece = held.length > 0 ? Buffer.concat(held) : bytes;
      held = [];
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
    yield await thread.take(nothing, true);
  } finally {
    await thread?.close();
  }
}
