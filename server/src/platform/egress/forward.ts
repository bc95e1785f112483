import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { toAppError } from '../app-error.ts';
import { drained } from '../drained.ts';
import type { Egress } from './egress.ts';

export interface Forward {
  close(): Promise<void>;
}

const mostRequestBytes = 64 * 1024 * 1024;
const mostAnswerBytes = 64 * 1024 * 1024;
const totalMs = 15 * 60_000;
/** Of one connection or of our own way in; none of them is the vendor's business. */
const ours = new Set([
  'damask-url',
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'expect',
]);

/**
 * A way out for a program of ours that has packages of others: it names the address in `damask-url`, and the guard judges it
 * as any that a user entered. Redirects are not followed. What is refused comes back with `damask-refused`.
 */
export async function openForward(egress: Egress, socketPath: string): Promise<Forward> {
  const server = createServer();
  server.on('request', (request, response) => void forward(egress, request, response));
  await rm(socketPath, { force: true });
  // Its folder is ours alone.
  await once(server.listen(socketPath), 'listening');
  server.unref();
  return {
    async close() {
      server.close();
      server.closeAllConnections();
      await rm(socketPath, { force: true });
    },
  };
}

async function forward(egress: Egress, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort(new Error('The add-on left.')));
  try {
    const answer = await egress.stream(String(request.headers['damask-url'] ?? ''), {
      method: request.method as 'GET' | 'POST',
      headers: plain(request.headers),
      body: await readAll(request),
      signal: gone.signal,
      redirects: 0,
      maxBytes: mostAnswerBytes,
      totalMs,
      firstByteMs: totalMs,
      idleMs: totalMs,
    });
    response.writeHead(answer.status, plain(answer.headers));
    // The program reads the status before the first piece of a slow body.
    response.flushHeaders();
    for await (const piece of answer.chunks) if (!response.write(piece)) await drained(response);
    response.end();
  } catch (error) {
    if (response.headersSent || response.destroyed) response.destroy();
    else response.writeHead(502, { 'damask-refused': encodeURIComponent(toAppError(error).message) }).end();
  }
}

function plain(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const kept = Object.entries(headers).filter(([name, value]) => !ours.has(name) && value !== undefined);
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > mostRequestBytes) throw new Error('The request of the add-on is too large.');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
