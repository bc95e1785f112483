import { createServer, connect as open, type Socket } from 'node:net';

/** Stands between a process and its database, and fails as networks do. */
export interface DatabaseProxy {
  /** Bytes stop for so long, and nobody is told. */
  partition(milliseconds: number): void;
  /** The next answer of the database is lost with its connection: whether it was a commit, nobody knows. */
  loseReply(): void;
  close(): void;
}

/** Listens at `path`, a Unix socket, for connections to `target`. */
export async function startDatabaseProxy(path: string, target: string): Promise<DatabaseProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let losing = false;
  let silentUntil = 0;
  const pass = (from: Socket, to: Socket, isReply: boolean) => {
    from.on('data', (bytes) => {
      if (isReply && losing && bytes.includes('INSERT')) {
        losing = false;
        from.destroy();
        to.destroy();
        return;
      }
      const wait = silentUntil - Date.now();
      if (wait <= 0) return void to.write(bytes);
      from.pause();
      setTimeout(() => {
        to.write(bytes);
        from.resume();
      }, wait);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  };
  const server = createServer((client) => {
    const database = open(target);
    const pair = [client, database] as const;
    pairs.add(pair);
    pass(client, database, false);
    pass(database, client, true);
    client.on('close', () => pairs.delete(pair));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    partition(milliseconds) {
      silentUntil = Date.now() + milliseconds;
    },
    loseReply() {
      losing = true;
    },
    close() {
      server.close();
      for (const pair of pairs) for (const socket of pair) socket.destroy();
    },
  };
}
