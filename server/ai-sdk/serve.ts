// The add-on for vendors whose protocol the platform does not speak itself: started by the platform, serves it on a unix socket.
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { createChatEndpoint } from './chat-endpoint.ts';
import { createForwardedFetch } from './forwarded-fetch.ts';
import { loadVendors } from './load-vendors.ts';

const { values } = parseArgs({
  options: { packages: { type: 'string' }, socket: { type: 'string' }, forward: { type: 'string' } },
});
const { packages, socket, forward } = values;
if (!packages || !socket || !forward) {
  process.stderr.write('usage: serve.ts --packages FOLDER --socket PATH --forward PATH\n');
  process.exit(2);
}

const server = createServer({ maxHeaderSize: 32 * 1024 });
server.on('request', createChatEndpoint(loadVendors(packages, createForwardedFetch(forward))));
const stop = () => process.exit(0);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
process.on('disconnect', stop);

await rm(socket, { force: true });
// The socket is ours alone from its first moment.
process.umask(0o177);
await once(server.listen(socket), 'listening');
process.send?.({ ready: true });
