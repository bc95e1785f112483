import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** Somebody else's server that runs. */
export interface Started {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until it answers anything at `path`; answers why when it does not. */
export async function startOutside(
  child: ChildProcess,
  port: number,
  path: string,
  milliseconds: number,
): Promise<Started | string> {
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  const stop = async () => {
    if (ended) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  for (const until = performance.now() + milliseconds; performance.now() < until && !ended; await wait(200)) {
    const answered = await fetch(`http://127.0.0.1:${port}${path}`).then(
      (response) => response.arrayBuffer(),
      () => undefined,
    );
    if (answered) return { pid: child.pid as number, port, stop };
  }
  const why = ended ? 'it ended before it was ready' : `it was not ready within ${milliseconds / 1000} s`;
  await stop();
  return why;
}
