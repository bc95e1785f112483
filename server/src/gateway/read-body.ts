import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '#platform/app-error.ts';
import type { BodyShare } from './body-budget.ts';

/** How long, and how much of, a refused body is still taken off the wire: the largest body of JSON. */
const lingerMs = 3_000;
const lingerBytes = 32 * 1024 * 1024;

/**
 * The whole body, never more than `limit` bytes. Errors: `too_large`, `overloaded` when `share` gives no more,
 * `invalid_request` when the client stops midway.
 */
export async function readBody(request: IncomingMessage, limit: number, share: BodyShare): Promise<Buffer> {
  const pieces = await readPieces(request, limit, share);
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}

/** The same in pieces as they came: putting 64 MiB together would hold the event loop. */
export function readPieces(request: IncomingMessage, limit: number, share: BodyShare): Promise<Buffer[]> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) return Promise.reject(tooLarge(limit));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    // The listeners stay, since taking them off costs more than all else here: after the end they do nothing.
    let over = false;
    const stop = (error: unknown) => {
      if (over) return;
      over = true;
      reject(error);
    };
    request.on('data', (chunk: Buffer) => {
      if (over) return;
      try {
        size += chunk.length;
        if (size > limit) throw tooLarge(limit);
        share.take(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        stop(error);
      }
    });
    request.on('end', () => {
      over = true;
      resolve(chunks);
    });
    // Without a listener for errors Node tells a broken body by closing it.
    request.on('close', () => over || stop(endedEarly()));
  });
}

/**
 * After an early answer: discards what still comes, within bounds, then closes the connection. Closing at once would
 * reset it, and a client that is still sending would never read the answer.
 */
export function discardBody(request: IncomingMessage, response: ServerResponse) {
  if (request.complete) return;
  let left = lingerBytes;
  request.on('error', () => undefined);
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  // An upload that was refused midway had paused it.
  request.resume();
  const timer = setTimeout(() => request.destroy(), lingerMs);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
  response.once('close', () => {
    if (request.complete) clearTimeout(timer);
  });
}

function endedEarly(): AppError {
  return new AppError('invalid_request', 'The body ended before its declared length. Send it whole.');
}

function tooLarge(limit: number): AppError {
  return new AppError(
    'too_large',
    `The body may have at most ${limit} bytes. Send less, or ask the operator for more.`,
  );
}
