import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, startChild } from '../child-process.ts';
import { systemClock } from '../clock.ts';

/** A real Redis on loopback that keeps nothing. */
export interface RedisServer {
  readonly url: string;
  kill(): Promise<void>;
  /** Starts it again, empty, where it was killed. */
  start(): Promise<void>;
  /** Takes connections and answers nothing. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const program = '/usr/bin/redis-server';

/** Why the tests with Redis cannot run here, and what helps; false when they can. */
export const withoutRedis: string | false = existsSync(program)
  ? false
  : 'Redis is missing; `apt-get install -y redis-server` enables this test';

export async function startRedis(): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'damask-redis-'));
  const port = await freePort();
  let child: Child;
  async function start() {
    const args = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', '--dir', folder];
    child = await startChild({ command: program, args, env: { PATH: '/usr/bin:/bin' } });
    for (let look = 0; look < 200; look++) {
      if (await accepts(port)) return;
      await systemClock.sleep(25);
    }
    throw new Error('Redis did not start');
  }
  async function kill() {
    child.kill('SIGKILL');
    await child.exited;
  }
  await start();
  return {
    url: `redis://127.0.0.1:${port}/0`,
    start,
    kill,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
