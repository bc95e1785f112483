import type { IncomingMessage } from 'node:http';
import type { Fetch, FetchResponse } from '@damask/sdk';

/** The sdk's `fetch` over Node's own client. Redirects are not followed, so a key never leaves for another host. */
export const httpTransport: Fetch = (url, init) => {
  // An import of node:http evaluates its lazy exports, WebSocket with all of undici among them: 22 ms. Global fetch
  // costs as much. This way it is 3 ms.
  const { request: send } = process.getBuiltinModule(url.startsWith('https:') ? 'node:https' : 'node:http');
  const body = init.body === undefined ? undefined : Buffer.from(init.body);
  const headers = body ? { ...init.headers, 'content-length': String(body.length) } : init.headers;
  return new Promise<FetchResponse>((resolve, reject) => {
    const request = send(url, { method: init.method, headers, signal: init.signal }, (response) => {
      resolve(toFetchResponse(response));
    });
    request.on('error', reject);
    request.end(body);
  });
};

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
