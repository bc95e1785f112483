import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { listProcesses, type ProcessFigures, withDescendants } from './processes.ts';

export const root = join(import.meta.dirname, '..');

/** A home of its own: nothing of the user's is read or changed. */
export interface Home {
  readonly path: string;
  /** Of programs that live in it. */
  readonly environment: Readonly<Record<string, string>>;
  remove(): void;
}

export function makeHome(more: Readonly<Record<string, string>> = {}): Home {
  const path = mkdtempSync(join(tmpdir(), 'damask-bench-'));
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: path,
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.compile-cache'),
    DAMASK_PORT: '0',
    DAMASK_METRICS_PORT: '0',
    DAMASK_LOCAL_MODEL: 'false',
    DAMASK_LOG_LEVEL: 'warn',
    ...more,
  };
  return { path, environment, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The real server, started as `npm start` does it, with its own PostgreSQL. */
export interface DamaskServer {
  readonly url: string;
  readonly port: number;
  readonly key: string;
  /** Milliseconds from the start of the command until the server said that it is ready. */
  readonly readyAfter: number;
  /** CPU time in microseconds since each of its parts was started. */
  cpu(): { edge: number; companion: number; postgres: number };
  /** Memory in MB of the process that serves requests. */
  residentMb(): number;
  /** Calls the interface with the owner's key; throws unless the answer is a success. */
  call<Answer>(method: string, path: string, body?: object): Promise<Answer>;
  stop(): Promise<void>;
}

/** `preload`: a module that the serving process loads first. */
export async function startDamask(home: Home, preload?: string): Promise<DamaskServer> {
  const begun = performance.now();
  const [command, args] = preload
    ? [process.execPath, [...process.execArgv, '--import', preload, 'server/src/main.ts', 'serve']]
    : [process.execPath, ['scripts/bootstrap.mjs', 'start']];
  const child = spawn(command, [...args, '--json'], {
    cwd: root,
    env: home.environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await readyUrl(child);
  const readyAfter = performance.now() - begun;
  const key = readKey(home, url);
  const parts = () => {
    const own = withDescendants(listProcesses(), child.pid as number);
    const edge = own.find(({ command }) => command.includes('main.ts serve')) as ProcessFigures;
    const companion = own.find(({ command }) => command.includes('main.ts companion')) as ProcessFigures;
    // PostgreSQL outlives whoever started it, so it need not be a child.
    const postmaster = listProcesses().find(({ command }) => command.includes(`-D ${join(home.path, '.damask')}`));
    const postgres = postmaster ? withDescendants(listProcesses(), postmaster.pid) : [];
    return { edge, companion, postgres };
  };
  return {
    url,
    port: Number(new URL(url).port),
    key,
    readyAfter,
    cpu() {
      const { edge, companion, postgres } = parts();
      return { edge: edge.cpu, companion: companion.cpu, postgres: postgres.reduce((sum, { cpu }) => sum + cpu, 0) };
    },
    residentMb: () => parts().edge.residentMb,
    async call(method, path, body) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
      return (await response.json()) as never;
    },
    stop: () => stop(child),
  };
}

function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it was ready`)));
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      const said = JSON.parse(line) as { event: string; url?: string };
      if (said.event === 'ready') resolve(said.url as string);
    });
  });
}

function readKey(home: Home, url: string): string {
  const path = join(home.path, '.config', 'damask', 'credentials.json');
  // A second server of one database has no key of its own.
  if (!existsSync(path)) return '';
  const file = readFileSync(path, 'utf8');
  const { instances } = JSON.parse(file) as { instances: Record<string, { url: string; api_key: string }> };
  return Object.values(instances).find((instance) => instance.url === url)?.api_key ?? '';
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
