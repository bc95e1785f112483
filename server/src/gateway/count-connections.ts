import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { createAddressSet } from './client-address.ts';
import { isOwnMachine, networkOf } from './network.ts';

/** Closes at once what an address opens beyond `most` connections. Proxies bring those of many, and are not counted. */
export function countConnections(
  server: Server,
  { most, proxies }: { readonly most: number; readonly proxies: readonly string[] },
): void {
  if (most === 0) return;
  const open = new Map<string, number>();
  const isProxy = createAddressSet(proxies);
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (isOwnMachine(address) || isProxy(address)) return;
    const network = networkOf(address);
    const count = open.get(network) ?? 0;
    if (count >= most) {
      socket.destroy();
      return;
    }
    open.set(network, count + 1);
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left === 0) open.delete(network);
      else open.set(network, left);
    });
  });
}
