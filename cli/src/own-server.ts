import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Child,
  exitOf,
  keepTail,
  lastLine,
  readLines,
  spawnApart,
  spawnInForeground,
  stopChild,
} from './child-process.ts';
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
  '--disable-proto=delete',
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=64',
  '--no-allocation-site-pretenuring',
];
const silenceLimitMs = 120_000;

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
  const child = spawnApart(serverCommand(config, ['serve', '--json']), environmentWith(listen));
  const stop = () => stopChild(child);
  const errors = keepTail(child);
  let silence: NodeJS.Timeout | undefined;
  let settled = false;
  try {
    const ready = await new Promise<ServerEvent>((resolve, reject) => {
      const fail = (reason: string, code?: unknown) =>
        reject(new StartError(startFailure(reason, errors()), { busy: code === 'in_use' }));
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
  const child = spawnInForeground(serverCommand(config, args), environmentWith({}));
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
  const child = spawnApart(serverCommand(config, ['model-pull', '--json']), environmentWith({}));
  const errors = keepTail(child);
  let path: string | undefined;
  let reason: string | undefined;
  let offline = false;
  readEvents(child, (event) => {
    if (event.event === 'error') [reason, offline] = [String(event.message), event.code === 'no_model'];
    if (event.event === 'model' && event.state === 'ready') path = String(event.path);
    else if (event.event === 'model') onProgress(toProgress(event));
  });
  const leave = () => child.kill('SIGTERM');
  signal.addEventListener('abort', leave, { once: true });
  const code = await exitOf(child);
  signal.throwIfAborted();
  if (path !== undefined && code === 0) return path;
  const why = reason ?? lastLine(errors()) ?? `it ended with code ${code}`;
  throw new StartError(`The model was not fetched: ${why}`, { tryLater: offline });
}

function serverCommand(config: Config, args: readonly string[]): readonly string[] {
  const path = findServer(config);
  if (path !== undefined) return [process.execPath, ...nodeFlags, path, ...args];
  throw new StartError(
    'The server is not part of this installation. Set DAMASK_URL to a server that runs, or DAMASK_SERVER to the server/src/main.ts of a clone.',
  );
}

function readEvents(child: Child, take: (event: ServerEvent) => void): void {
  readLines(child, (line) => {
    try {
      const event: unknown = JSON.parse(line);
      if (typeof (event as ServerEvent | null)?.event === 'string') take(event as ServerEvent);
    } catch {
      // A line of another program's making.
    }
  });
}

function startFailure(reason: string, errors: string): string {
  // A fault of its own comes with the places where it was met; those are for the log.
  const [first = '', more] = reason.split('\n');
  const last = more === undefined ? lastLine(errors) : undefined;
  return `The server did not start: ${first.replace(/\.$/, '')}.${last ? ` Its last words: ${last}` : ''} \`damask serve\` shows all it says.`;
}

function toProgress({ phase, received, total }: ServerEvent): ServerProgress {
  return {
    phase: typeof phase === 'string' ? phase : 'downloading',
    received: typeof received === 'number' ? received : 0,
    total: typeof total === 'number' ? total : undefined,
  };
}
