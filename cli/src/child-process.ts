import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ServerProgress } from './command.ts';
import { type Config, environmentWith } from './config.ts';
import { StartError } from './start-error.ts';

/** A line that the server prints with `--json`. */
interface ServerEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface StartedServer {
  readonly url: string;
  /** Its name in credentials.json. */
  readonly instance: string | undefined;
  /** Asks it to stop and waits for it, at most 10 s. A server that was already running is left alone. */
  stop(): Promise<void>;
}

// As `npm start` runs it.
const nodeFlags = [
  '--disallow-code-generation-from-strings',
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=16',
];
const silenceLimitMs = 120_000;
const stopLimitMs = 10_000;

/** The server's main file: beside this CLI in a clone, else where DAMASK_SERVER says. */
export function findServer(config: Config): string | undefined {
  const path = config.server ?? fileURLToPath(new URL('../../server/src/main.ts', import.meta.url));
  return existsSync(path) ? path : undefined;
}

/** Starts the server's own executable and waits until it takes requests. Throws StartError. */
export async function startServer(
  config: Config,
  signal: AbortSignal,
  onProgress: (event: ServerProgress) => void,
): Promise<StartedServer> {
  const { hostname, port } = new URL(config.url);
  const listen = { DAMASK_HOST: hostname.replace(/^\[|\]$/g, ''), DAMASK_PORT: port || '80' };
  // A group of its own: Ctrl-C is for this command, which then stops the server in order.
  const child = spawnServer(config, ['serve', '--json'], { env: environmentWith(listen), detached: true });
  const stop = () => stopChild(child);
  const errors = keepTail(child);
  let silence: NodeJS.Timeout | undefined;
  let settled = false;
  try {
    const ready = await new Promise<ServerEvent>((resolve, reject) => {
      const fail = (reason: string, code?: unknown) =>
        reject(new StartError(startFailure(reason, errors()), code === 'in_use'));
      const listenOn = () => {
        clearTimeout(silence);
        if (!settled) silence = setTimeout(fail, silenceLimitMs, 'it said nothing for two minutes');
      };
      listenOn();
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      child.on('error', (error) => fail(error.message));
      // What it said last may still be in the pipe.
      child.on('exit', (code, name) => setTimeout(fail, 200, `it ended with ${name ?? `code ${code}`}`).unref());
      readEvents(child, (event) => {
        listenOn();
        if (event.event === 'error') fail(String(event.message), event.code);
        if (event.event === 'model') onProgress(toProgress(event));
        if (event.event === 'ready' || event.event === 'already-running') resolve(event);
      });
    });
    const instance = typeof ready.instance === 'string' ? ready.instance : undefined;
    if (ready.event === 'already-running') return { url: String(ready.url), instance, stop: async () => undefined };
    return { url: String(ready.url), instance, stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    settled = true;
    clearTimeout(silence);
  }
}

/** Runs a command of the server's executable with this terminal. Resolves to its exit code. */
export async function runInForeground(config: Config, args: readonly string[], hasTerminal: boolean): Promise<number> {
  const child = spawnServer(config, args, { env: environmentWith({}), detached: false, inherit: true });
  // A terminal sends Ctrl-C to both, and a second one would mean "at once" to the server.
  const pass = (signal: NodeJS.Signals) => (signal !== 'SIGINT' || !hasTerminal) && child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, pass);
  return exitOf(child);
}

/** Lets the server fetch the local model. Resolves to the file's path. Throws StartError. */
export async function pullModel(
  config: Config,
  signal: AbortSignal,
  onProgress: (event: ServerProgress) => void,
): Promise<string> {
  const child = spawnServer(config, ['model-pull', '--json'], { env: environmentWith({}), detached: true });
  const errors = keepTail(child);
  let path: string | undefined;
  let reason: string | undefined;
  readEvents(child, (event) => {
    if (event.event === 'error') reason = String(event.message);
    if (event.event === 'model' && event.state === 'ready') path = String(event.path);
    else if (event.event === 'model') onProgress(toProgress(event));
  });
  const leave = () => child.kill('SIGTERM');
  signal.addEventListener('abort', leave, { once: true });
  const code = await exitOf(child);
  signal.throwIfAborted();
  if (path !== undefined && code === 0) return path;
  throw new StartError(`The model was not fetched: ${reason ?? lastLine(errors()) ?? `it ended with code ${code}`}`);
}

function spawnServer(
  config: Config,
  args: readonly string[],
  how: { readonly env: Record<string, string | undefined>; readonly detached: boolean; readonly inherit?: true },
): ChildProcess {
  const path = findServer(config);
  if (path === undefined) {
    throw new StartError(
      'The server is not part of this installation. Set DAMASK_URL to a server that runs, or DAMASK_SERVER to the server/src/main.ts of a clone.',
    );
  }
  const child = spawn(process.execPath, [...nodeFlags, path, ...args], {
    env: how.env,
    detached: how.detached,
    // Nothing is sent over the channel: when it closes, the server knows that this command was killed.
    stdio: how.inherit ? 'inherit' : ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.channel?.unref();
  return child;
}

function readEvents(child: ChildProcess, take: (event: ServerEvent) => void): void {
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      try {
        const event: unknown = JSON.parse(line);
        if (typeof (event as ServerEvent | null)?.event === 'string') take(event as ServerEvent);
      } catch {
        // A line of another program's making.
      }
    }
  });
}

function keepTail(child: ChildProcess): () => string {
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-4096);
  });
  return () => tail;
}

function startFailure(reason: string, errors: string): string {
  const last = lastLine(errors);
  return `The server did not start: ${reason.replace(/\.$/, '')}.${last ? ` Its last words: ${last}` : ''} \`damask serve\` shows all it says.`;
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').pop() || undefined;
}

function toProgress({ received, total }: ServerEvent): ServerProgress {
  return {
    received: typeof received === 'number' ? received : 0,
    total: typeof total === 'number' ? total : undefined,
  };
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.on('error', () => resolve(3));
    child.on('close', (code, signal) =>
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGKILL' ? 9 : 15)),
    );
  });
}

// Runs of others may still be draining after the wait: then it ends by itself.
async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, stopLimitMs);
    });
    child.kill('SIGTERM');
    await Promise.race([ended, late]);
    clearTimeout(timer);
  }
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}
