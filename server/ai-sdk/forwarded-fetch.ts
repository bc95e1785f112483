import { request } from 'node:http';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { ApiError } from './api-error.ts';

/**
 * A `fetch` whose requests go out through the platform, which judges every address. From here on this process connects to
 * nothing but that socket: a package that tries otherwise gets an error.
 */
export function createForwardedFetch(forwardSocket: string): typeof globalThis.fetch {
  confineTo(forwardSocket);
  const forwarded = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const asked = new Request(input, init);
    const body = Buffer.from(await asked.arrayBuffer());
    const headers = { ...Object.fromEntries(asked.headers), 'damask-url': asked.url, 'accept-encoding': 'identity' };
    return new Promise<Response>((resolve, reject) => {
      const outgoing = request({
        socketPath: forwardSocket,
        method: asked.method,
        path: '/',
        headers: { ...headers, 'content-length': String(body.length) },
        signal: asked.signal,
      });
      outgoing.on('error', reject);
      outgoing.on('response', (answer) => {
        const refused = answer.headers['damask-refused'];
        if (refused !== undefined) {
          answer.resume();
          reject(new ApiError(502, 'vendor_unreachable', decodeURIComponent(String(refused))));
          return;
        }
        const pairs = Object.entries(answer.headersDistinct).flatMap(([name, values]) =>
          (values ?? []).map((value): [string, string] => [name, value]),
        );
        const status = answer.statusCode ?? 502;
        const empty = status === 204 || status === 304;
        resolve(new Response(empty ? null : (Readable.toWeb(answer) as ReadableStream), { status, headers: pairs }));
      });
      outgoing.end(body);
    });
  };
  // Tokens of service accounts are asked for with the global one.
  globalThis.fetch = forwarded;
  return forwarded;
}

function confineTo(path: string): void {
  const connect = Socket.prototype.connect as (this: Socket, ...given: unknown[]) => Socket;
  Socket.prototype.connect = function guarded(this: Socket, ...given: unknown[]) {
    const first = Array.isArray(given[0]) ? given[0][0] : given[0];
    const wanted = typeof first === 'string' ? first : (first as { path?: unknown } | undefined)?.path;
    if (wanted === path) return connect.apply(this, given);
    throw new Error('The add-on calls nobody but through the platform.');
  } as typeof Socket.prototype.connect;
}
