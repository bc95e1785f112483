import type { IncomingMessage } from 'node:http';
import { AppError } from './app-error.ts';
import type { Clock } from './clock.ts';

/** Milliseconds that the sender of an upload may send nothing. */
const idleMs = 30_000;

const reading = new WeakSet<IncomingMessage>();

/** Whether the body of this request is read as an upload, which has a patience of its own. */
export function isUpload(request: IncomingMessage): boolean {
  return reading.has(request);
}

/**
 * The body piece by piece, as fast as it is asked for: what nobody asked for yet stays with the sender. Throws
 * `too_large` beyond `limit` bytes, `request_timeout` when nothing comes for half a minute, `invalid_request` when it breaks off.
 */
export async function* readUpload(request: IncomingMessage, limit: number, clock: Clock): AsyncGenerator<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  reading.add(request);
  const pieces: Buffer[] = [];
  let size = 0;
  let ended = false;
  let closed = false;
  let wake = () => {};
  const onData = (piece: Buffer) => {
    pieces.push(piece);
    request.pause();
    wake();
  };
  const onEnd = () => {
    ended = true;
    wake();
  };
  const onClose = () => {
    closed = true;
    wake();
  };
  request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  try {
    for (;;) {
      const piece = pieces.shift();
      if (piece) {
        size += piece.length;
        if (size > limit) throw tooLarge(limit);
        yield piece;
      } else if (ended) {
        return;
      } else if (closed || request.destroyed) {
        throw new AppError('invalid_request', 'The body ended before its declared length. Send it whole.');
      } else {
        await new Promise<void>((resolve, reject) => {
          const late = clock.after(idleMs, () => reject(tooSlow()));
          wake = () => {
            late.cancel();
            resolve();
          };
          request.resume();
        });
      }
    }
  } finally {
    request.off('data', onData).off('end', onEnd).off('close', onClose);
  }
}

function tooLarge(limit: number): AppError {
  return new AppError('too_large', `An upload may have at most ${limit} bytes. Send it in parts.`);
}

function tooSlow(): AppError {
  return new AppError('request_timeout', 'Nothing came for half a minute. Send the upload again, faster.');
}
