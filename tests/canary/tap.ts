import { createServer, connect as open, type Socket } from 'node:net';

export interface Tap {
  /** Where clients come; a port on loopback or a path. */
  readonly at: number | string;
  /** Each connection's bytes, in each direction by itself: a text that came in two pieces is whole here. */
  streams(): { readonly name: string; readonly content: Buffer }[];
  close(): void;
}

/** Stands between the platform and what it keeps its things in, and writes down all that passes. */
export async function startTap(target: number | string, at: number | string = 0): Promise<Tap> {
  const kept: { readonly name: string; readonly pieces: Buffer[] }[] = [];
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket, name: string) => {
    const pieces: Buffer[] = [];
    kept.push({ name, pieces });
    from.on('data', (piece: Buffer) => {
      pieces.push(piece);
      if (!to.write(piece)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    sockets.add(from);
  };
  const server = createServer((client) => {
    const there = typeof target === 'number' ? open(target, '127.0.0.1') : open(target);
    pass(client, there, 'said');
    pass(there, client, 'heard');
  });
  await new Promise<void>((resolve) => {
    if (typeof at === 'number') server.listen(at, '127.0.0.1', resolve);
    else server.listen(at, resolve);
  });
  const address = server.address();
  return {
    at: typeof address === 'string' || address === null ? String(at) : address.port,
    streams: () =>
      kept.map(({ name, pieces }, index) => ({ name: `${name} ${index >> 1}`, content: Buffer.concat(pieces) })),
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
