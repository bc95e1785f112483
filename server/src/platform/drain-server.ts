import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from './clock.ts';

const sweepEvery = 50;

/** Stops accepting and lets requests end for `milliseconds`; then closes what is left. */
export type Drain = (milliseconds: number) => Promise<void>;

/** How a server will be stopped. Made before it listens, since connections are counted from then on. */
export function createDrain(server: Server, clock: Clock): Drain {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return async (milliseconds) => {
    let over = false;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const late = clock.after(milliseconds, () => server.closeAllConnections());
    // A connection whose request ends only now becomes idle later. One that never carried a request, as browsers and
    // pools open them ahead of time, does not count as idle for node.
    const sweep = () => {
      if (over) return;
      server.closeIdleConnections();
      for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
      clock.after(sweepEvery, sweep);
    };
    sweep();
    await closed;
    over = true;
    late.cancel();
  };
}
