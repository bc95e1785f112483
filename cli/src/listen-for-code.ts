import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { InputError } from './input-error.ts';

export interface CodeListener {
  readonly port: number;
  /** The browser must bring it back. */
  readonly state: string;
  /** What the browser brings. `until` is in milliseconds since 1970. */
  code(until: number): Promise<string>;
  close(): void;
}

/** Waits on 127.0.0.1 for the browser of the same machine. */
export async function listenForCode(signal: AbortSignal): Promise<CodeListener> {
  const { createServer } = process.getBuiltinModule('node:http');
  const state = randomBytes(16).toString('base64url');
  let take: (code: string) => void = () => undefined;
  const taken = new Promise<string>((resolve) => {
    take = resolve;
  });
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const code = searchParams.get('code');
    const ours = request.method === 'GET' && code !== null && searchParams.get('state') === state;
    response.writeHead(ours ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
    response.end(
      ours ? 'Done. You can close this page and go back to the command line.\n' : 'There is nothing here.\n',
    );
    if (ours) take(code);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    state,
    code(until) {
      return new Promise((resolve, reject) => {
        const late = () =>
          reject(new InputError('Nobody approved this login in time. Begin again: damask login', 'refused'));
        const timer = setTimeout(late, until - Date.now());
        const stop = () => reject(signal.reason);
        signal.addEventListener('abort', stop, { once: true });
        void taken.then(resolve).finally(() => {
          clearTimeout(timer);
          signal.removeEventListener('abort', stop);
        });
      });
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
