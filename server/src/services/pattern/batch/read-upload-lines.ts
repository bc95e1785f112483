import type { Hash } from 'node:crypto';
import type { Upload } from '#platform/call.ts';
import type { LineThread } from './line-threads.ts';
import type { ReadPiece } from './read-lines.ts';

const nothing = Buffer.alloc(0);

/** Reads an upload in another thread; while one piece is stored, the next is read. `hash` sees every byte. */
export async function* readUploadLines(
  upload: Upload,
  thread: LineThread,
  hash: Hash | undefined,
): AsyncGenerator<ReadPiece> {
  let next: Promise<ReadPiece> | undefined;
  for await (const bytes of upload.bytes) {
    hash?.update(bytes);
    const ready = await next;
    next = thread.take(bytes, false);
    // It is awaited in the next round; a rejection until then must not end the process.
    next.catch(() => undefined);
    if (ready) yield ready;
  }
  if (next) yield await next;
  yield await thread.take(nothing, true);
}
