import type { Server } from 'node:http';
import type { Clock } from './clock.ts';

const sweepEvery = 50;

/** Stops accepting and lets requests end for `milliseconds`; then closes what is left. */
export async function drainServer(server: Server, clock: Clock, milliseconds: number): Promise<void> {
  let over = false;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const late = clock.after(milliseconds, () => server.closeAllConnections());
  // A connection whose request ends only now becomes idle later.
  const sweep = () => {
    if (over) return;
    server.closeIdleConnections();
    clock.after(sweepEvery, sweep);
  };
  sweep();
  await closed;
  over = true;
  late.cancel();
}
