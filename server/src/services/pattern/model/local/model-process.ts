import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { startChild } from '#platform/child-process.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { noModel } from './model-source.ts';
import { programFolder } from './runtime.ts';
import { type Environment, programEnvironment } from './tool-environment.ts';

export interface ModelProcessOptions {
  readonly nodePath: string;
  readonly runtime: string;
  readonly model: string;
  readonly name: string;
  readonly socketPath: string;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** For tests: further arguments of the program. */
  readonly more?: readonly string[];
}

export interface ModelProcess {
  readonly pid: number;
  /** Tokens that one request may use. */
  readonly contextSize: number;
  /** Tells how it ended, in words. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

// A model of several gigabytes from a slow disk.
const readyWithinMs = 180_000;
const stopWithinMs = 3_000;
const keptLines = 3;

/** Starts the model's process and waits until it serves. Rejects with `no_model` and its last words when it does not. */
export async function startModelProcess(options: ModelProcessOptions): Promise<ModelProcess> {
  const { nodePath, runtime, model, name, socketPath, clock, signal } = options;
  signal.throwIfAborted();
  const program = [
    '--disallow-code-generation-from-strings',
    '--disable-proto=delete',
    join(programFolder, 'serve.ts'),
  ];
  const place = ['--runtime', runtime, '--model', model, '--name', name, '--socket', socketPath];
  const child = await startChild({
    command: nodePath,
    args: [...program, ...place, ...(options.more ?? [])],
    // Its end of the channel closes when we die, however we die.
    ipc: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: programEnvironment(options.environment),
  });
  const lastWords = followOutput(child.stderr as Readable, options.log);
  const exited = child.exited.then(async ({ code, signal: by }) => {
    const how = by ? `was ended by ${by}` : `ended with code ${code}`;
    return [how, ...(await lastWords())].join('; ');
  });
  const ready = new Promise<number>((resolve, reject) => {
    child.onMessage((message) => {
      const { ready: serves, contextSize } = message as { ready?: boolean; contextSize?: number };
      if (serves) resolve(contextSize ?? 0);
    });
    void exited.then((how) => reject(noModel(`The process of the local model ${how}.`)));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const late = clock.after(readyWithinMs, () => void child.kill('SIGKILL'));
  try {
    const contextSize = await ready;
    return { pid: child.pid, contextSize, exited, stop: async () => void (await child.stop(stopWithinMs)) };
  } catch (error) {
    await child.stop(stopWithinMs);
    throw error;
  } finally {
    late.cancel();
  }
}

/** Passes what the process says to our log and keeps the last lines for the reason of its end. */
function followOutput(stream: Readable, log: Log): () => Promise<readonly string[]> {
  const kept: string[] = [];
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-1000);
    for (const line of lines) {
      if (line.trim() === '') continue;
      log.debug('The local model said', { line: line.slice(0, 500) });
      kept.push(line.trim().slice(0, 200));
      if (kept.length > keptLines) kept.shift();
    }
  });
  const ended = new Promise<readonly string[]>((resolve) => void stream.once('close', () => resolve(kept)));
  return () => ended;
}
