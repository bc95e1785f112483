import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../server/src/main.ts', import.meta.url));
const flags = [
  '--disallow-code-generation-from-strings',
  '--disable-proto=delete',
  '--disable-warning=ExperimentalWarning',
];

/** A home folder of its own for one installation. */
export interface Home {
  readonly path: string;
  readonly dataDir: string;
  readonly configDir: string;
  readonly environment: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

export async function makeHome(): Promise<Home> {
  const path = await mkdtemp(join(tmpdir(), 'damask home '));
  await mkdir(join(path, 'work'));
  return {
    path,
    dataDir: join(path, '.damask'),
    configDir: join(path, '.config', 'damask'),
    environment: {
      PATH: process.env.PATH ?? '',
      HOME: path,
      DAMASK_PORT: '0',
      DAMASK_METRICS_PORT: '0',
      DAMASK_LOCAL_MODEL: 'false',
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

export interface ServerEvent {
  readonly event: string;
  readonly url?: string;
  readonly pid?: number;
  readonly instance?: string;
  readonly code?: string;
  readonly message?: string;
  readonly services?: string;
  readonly address?: string;
}

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly events: readonly ServerEvent[];
  /** What it wrote to standard error. */
  log(): string;
  /** The first event of one of these kinds; rejects when the process ends before. */
  event(...kinds: string[]): Promise<ServerEvent>;
  readonly exited: Promise<number | NodeJS.Signals>;
  stop(): Promise<number | NodeJS.Signals>;
}

/** `npm start` without npm: the server in a process of its own that tells its story as JSON. */
export function startServer(
  home: Home,
  options: { args?: readonly string[]; environment?: Record<string, string>; leash?: boolean } = {},
): ServerProcess {
  const child = spawn(process.execPath, [...flags, main, ...(options.args ?? ['serve']), '--json'], {
    cwd: join(home.path, 'work'),
    stdio: ['ignore', 'pipe', 'pipe', options.leash ? 'ipc' : 'ignore'],
    env: { ...home.environment, ...options.environment },
  }) as ChildProcess & { readonly stdout: Readable; readonly stderr: Readable };
  const events: ServerEvent[] = [];
  let errors = '';
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    events.push(JSON.parse(line) as ServerEvent);
    for (const look of waiting) look();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code ?? 0));
  });
  return {
    child,
    events,
    log: () => errors,
    exited,
    event: (...kinds) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = events.find((event) => kinds.includes(event.event));
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void exited.then((end) =>
          reject(new Error(`It ended with ${end}: ${JSON.stringify(events)} ${errors.slice(-2_000)}`)),
        );
      }),
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** Runs the server's program to its end and answers what a person would read. */
export function runToEnd(home: Home, args: readonly string[]) {
  return spawnSync(process.execPath, [...flags, main, ...args], { env: home.environment, encoding: 'utf8' });
}

/** The key that the server kept for the command line. */
export async function readKey(home: Home, instance: string): Promise<string> {
  const { instances } = JSON.parse(await readFile(join(home.configDir, 'credentials.json'), 'utf8'));
  return instances[instance].api_key;
}

/** A client of one server. */
export function createCaller(url: string, key: string) {
  return async (method: string, path: string, body?: object) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    // biome-ignore lint/suspicious/noExplicitAny: tests read answers as they come.
    return { status: response.status, body: (await response.json()) as any };
  };
}

/** Processes whose command line or arguments name the home folder. */
export function leftOver(home: Home): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(home.path) ? [`${name} ${command}`] : [];
      } catch {
        return [];
      }
    });
}
