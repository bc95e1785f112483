import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Fetch, FetchResponse } from '@damask/sdk';

/** The sdk's `fetch` over Node's own client. Redirects are not followed, so a key never leaves for another host. */
export const httpTransport: Fetch = (url, init) => {
  // An import of node:http evaluates its lazy exports, WebSocket with all of undici among them: 22 ms. Global fetch
  // costs as much. This way it is 3 ms.
  const { request: send } = process.getBuiltinModule(url.startsWith('https:') ? 'node:https' : 'node:http');
  const { body: given } = init;
  const stream =
    typeof given === 'object' && Symbol.asyncIterator in given ? (given as AsyncIterable<Uint8Array>) : undefined;
  const body = given === undefined || stream ? undefined : Buffer.from(given as string | Uint8Array);
  const headers = body ? { ...init.headers, 'content-length': String(body.length) } : init.headers;
  return new Promise<FetchResponse>((resolve, reject) => {
    const request = send(url, { method: init.method, headers, signal: init.signal }, (response) => {
      resolve(toFetchResponse(response));
    });
    request.on('error', reject);
    if (!stream) request.end(body);
    else sendPieces(request, stream).catch((error) => request.destroy(error));
  });
};

/** Sends pieces as fast as they are taken. Whoever is refused midway reads the answer; the rest is not sent. */
async function sendPieces(request: ClientRequest, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  let over = false;
  const drained = () =>
    new Promise<void>((resolve) => {
      const done = () => {
        request.off('drain', done).off('close', done).off('response', done);
        resolve();
      };
      request.on('drain', done).on('close', done).on('response', done);
    });
  request.once('response', () => {
    over = true;
  });
  for await (const piece of pieces) {
    if (over || request.destroyed) return;
    if (!request.write(piece)) await drained();
  }
  if (!over) request.end();
}

function toFetchResponse(response: IncomingMessage): FetchResponse {
  return {
    status: response.statusCode ?? 0,
    headers: {
      get(name) {
        const value = response.headers[name];
        return (Array.isArray(value) ? value.join(', ') : value) ?? null;
      },
    },
    body: response,
    async text() {
      const parts: Uint8Array[] = [];
      for await (const part of response) parts.push(part as Uint8Array);
      return Buffer.concat(parts).toString('utf8');
    },
  };
}
