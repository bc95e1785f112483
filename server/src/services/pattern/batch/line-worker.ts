import { parentPort } from 'node:worker_threads';
import { closeOtherWays } from '#platform/egress/close-other-ways.ts';
import { createLineReader, type LineReader, type ReadOptions, type ReadPiece } from './read-lines.ts';

closeOtherWays();

/** To the thread: what it reads, then the bytes of it. Each piece of bytes is answered once. */
export type ToReader = { readonly start: ReadOptions } | { readonly bytes: Uint8Array; readonly last: boolean };
export type FromReader = ReadPiece;

const port = parentPort;
if (port === null) throw new Error('line-worker.ts is started as a worker thread only');

let reader: LineReader | undefined;

port.on('message', (message: ToReader) => {
  if ('start' in message) {
    reader = createLineReader(message.start);
    return;
  }
  const { bytes, last } = message;
  if (reader === undefined) throw new Error('The thread got bytes before it was told what they are');
  const piece: FromReader = reader.take(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), last);
  port.postMessage(
    piece,
    piece.chunks.flatMap(({ bytes: given }) => ownMemory(given)),
  );
});

// What a small text lies in is shared with others.
function ownMemory({ buffer, byteLength }: Buffer): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}
