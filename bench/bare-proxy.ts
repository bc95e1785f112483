import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

// What a proxy costs at least in Node: it passes bytes on, knows nobody, reads nothing, records nothing.
// Started with the port of the upstream.

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 4096, pipelining: 1 });
const headers = { 'content-type': 'application/json' };

const server = createServer({ noDelay: true, keepAliveTimeout: 600_000 }, (request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    pool.dispatch(
      { path: '/v1/chat/completions', method: 'POST', headers, body },
      {
        onRequestStart() {},
        onResponseStart(_, status, given) {
          const length = given['content-length'];
          response.writeHead(status, {
            'content-type': String(given['content-type']),
            ...(length === undefined ? {} : { 'content-length': String(length) }),
          });
        },
        onResponseData(_, chunk) {
          response.write(chunk);
        },
        onResponseEnd() {
          response.end();
        },
        onResponseError() {
          response.destroy();
        },
      },
    );
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
