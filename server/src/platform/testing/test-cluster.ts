import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { startChild } from '../child-process.ts';

export interface TestCluster {
  readonly socketDirectory: string;
  stop(): Promise<void>;
}

const keeper = fileURLToPath(new URL('./cluster-keeper.ts', import.meta.url));

/** Starts a throwaway PostgreSQL. It ends with this process, even when this process is killed, and leaves no files. */
export async function startTestCluster(): Promise<TestCluster> {
  const child = await startChild({
    command: process.execPath,
    args: ['--disallow-code-generation-from-strings', keeper],
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [line] = (await once(createInterface({ input: child.stdout as Readable }), 'line')) as [string];
  const answer = JSON.parse(line) as { socketDirectory?: string; error?: string };
  if (answer.socketDirectory === undefined) throw new Error(`The test database did not start: ${answer.error}`);
  child.unref();
  return {
    socketDirectory: answer.socketDirectory,
    async stop() {
      child.ref();
      child.stdin?.end();
      await child.exited;
    },
  };
}
