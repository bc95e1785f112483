import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../platform/child-process.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

export type Environment = Readonly<Record<string, string>>;

/** Starts the server's own executable, as an operator does. */
export function startMain(args: readonly string[], env: Environment): Promise<Child> {
  return startChild({
    command: process.execPath,
    args: [
      '--disallow-code-generation-from-strings',
      '--disable-proto=delete',
      '--disable-warning=ExperimentalWarning',
      main,
      ...args,
    ],
    env: {
      PATH: process.env.PATH,
      DAMASK_LOCAL_MODEL: 'false',
      DAMASK_METRICS_PORT: '0',
      DAMASK_SHED_LAG_MS: '0',
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Runs it to its end. `out` is what it said on both of its outputs. */
export async function runMain(args: readonly string[], env: Environment, input = '') {
  const child = await startMain(args, env);
  (child.stdin as Writable).end(input);
  const [out, err, { code }] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    child.exited,
  ]);
  return { code, out: out + err };
}

export interface MainServer {
  readonly url: string;
  readonly child: Child;
  /** The answer's fields, and its status as `http`. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as they come.
  call(method: string, path: string, body?: unknown): Promise<any>;
}

/** A server on a free port; `HOME` in the environment is where its data and its key go. */
export async function startServer(env: Environment & { readonly HOME: string }): Promise<MainServer> {
  const child = await startMain(['serve', '--json'], { DAMASK_PORT: '0', ...env });
  child.stderr?.resume();
  const lines = createInterface({ input: child.stdout as Readable });
  for (;;) {
    const [line] = (await Promise.race([
      once(lines, 'line'),
      child.exited.then(({ code }) => Promise.reject(new Error(`The server ended with ${code}`))),
    ])) as [string];
    const event = JSON.parse(line) as { event: string; url?: string; instance?: string; message?: string };
    if (event.event === 'error') throw new Error(event.message);
    if (event.event !== 'ready') continue;
    lines.on('line', () => undefined);
    const url = event.url as string;
    const kept = JSON.parse(await readFile(join(env.HOME, '.config', 'damask', 'credentials.json'), 'utf8'));
    const key = (kept.instances ?? kept)[event.instance as string].api_key as string;
    return {
      url,
      child,
      async call(method, path, body) {
        const response = await fetch(url + path, {
          method,
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return { http: response.status, ...((await response.json()) as object) };
      },
    };
  }
}
