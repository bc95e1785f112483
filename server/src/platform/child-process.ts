import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { AppError } from './app-error.ts';
import { systemClock } from './clock.ts';

/** `'ipc'` is not listed: ask for it with `ipc: true`. A number is a file descriptor of ours. */
export type ChildStream = 'ignore' | 'inherit' | 'pipe' | number;

export interface ChildOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** The whole environment of the child; without it the child inherits ours. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** stdin, stdout, stderr; all `ignore` by default. */
  readonly stdio?: readonly [ChildStream, ChildStream, ChildStream];
  readonly uid?: number;
  readonly gid?: number;
  /** Opens a message channel; the child sees `disconnect` when we die. */
  readonly ipc?: boolean;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** False when the child has gone already. */
  kill(signal: NodeJS.Signals): boolean;
  /** SIGTERM, after `graceMs` SIGKILL; resolves when the child has gone. */
  stop(graceMs: number): Promise<ChildExit>;
  /** False when the channel is closed. Needs `ipc`. */
  send(message: unknown): boolean;
  onMessage(listener: (message: unknown) => void): void;
  /** The child and its pipes no longer keep our event loop alive. */
  unref(): void;
  /** Waiting for `exited` keeps our event loop alive again. */
  ref(): void;
}

/**
 * Starts a program, never through a shell, in a process group of its own: Ctrl-C in a terminal reaches us alone,
 * and we stop our children in order. Rejects with `unavailable` when the program cannot be started.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const [stdin, stdout, stderr] = options.stdio ?? ['ignore', 'ignore', 'ignore'];
  const child = spawn(options.command, [...(options.args ?? [])], {
    stdio: options.ipc ? [stdin, stdout, stderr, 'ipc'] : [stdin, stdout, stderr],
    detached: true,
    ...(options.env ? { env: options.env as NodeJS.ProcessEnv } : {}),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(cannotStart(options.command, cause)));
  });
  // A failed kill or send comes as an event too, long after the start; without a listener it would end the process.
  child.on('error', () => {});
  const gone = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid as number,
    exited,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    kill: (signal) => !gone() && child.kill(signal),
    async stop(graceMs) {
      if (!gone()) child.kill('SIGTERM');
      const timer = systemClock.after(graceMs, () => child.kill('SIGKILL'));
      const exit = await exited;
      timer.cancel();
      return exit;
    },
    send: (message) => child.connected && child.send(message as object),
    onMessage: (listener) => void child.on('message', listener),
    ref: () => child.ref(),
    unref() {
      child.unref();
      child.channel?.unref();
      for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as { unref?(): void } | null)?.unref?.();
    },
  };
}

export interface RunOptions {
  readonly timeoutMs: number;
  /** Of each stream the last bytes are kept. Default 1 MiB. */
  readonly maxOutputBytes?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly signal?: AbortSignal;
}

export interface RunResult extends ChildExit {
  readonly stdout: string;
  readonly stderr: string;
  /** True when the beginning of a stream was dropped. */
  readonly truncated: boolean;
}

/**
 * Runs a short command to its end and answers with what it printed, whatever its exit code.
 * Rejects with `unavailable` when it cannot be started or takes longer than `timeoutMs`, and with the reason of
 * `signal` when that aborts; in both cases the command and all it started are killed.
 */
export async function runToEnd(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const { timeoutMs, maxOutputBytes = 1024 * 1024, signal, ...place } = options;
  const child = await startChild({ command, args, stdio: ['ignore', 'pipe', 'pipe'], ...place });
  const stdout = keepTail(child.stdout as Readable, maxOutputBytes);
  const stderr = keepTail(child.stderr as Readable, maxOutputBytes);
  let stopped: 'timeout' | 'abort' | undefined;
  const end = (reason: 'timeout' | 'abort') => {
    stopped = reason;
    killGroup(child.pid);
  };
  const timer = systemClock.after(timeoutMs, () => end('timeout'));
  const onAbort = () => end('abort');
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const exit = await child.exited;
    // A grandchild may hold the pipes open for ever; what the command itself wrote is there soon after its end.
    const enough = new AbortController();
    const patience = systemClock.sleep(1000, enough.signal).catch(() => {});
    await Promise.race([Promise.all([stdout.ended, stderr.ended]), patience]);
    enough.abort();
    child.stdout?.destroy();
    child.stderr?.destroy();
    if (stopped === 'abort') throw signal?.reason;
    if (stopped === 'timeout') {
      throw new AppError(
        'unavailable',
        `${command} did not end within ${timeoutMs / 1000} s and was stopped. Try again.`,
      );
    }
    return { ...exit, stdout: stdout.text(), stderr: stderr.text(), truncated: stdout.cut() || stderr.cut() };
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}

function cannotStart(command: string, cause: unknown): AppError {
  const code = (cause as NodeJS.ErrnoException).code;
  const reason = code === 'ENOENT' ? 'it is not installed, or its folder is missing' : String(code ?? cause);
  return new AppError('unavailable', `Could not start ${command}: ${reason}.`, {}, { cause });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The whole group has ended.
  }
}

function keepTail(stream: Readable, limit: number) {
  let chunks: Buffer[] = [];
  let size = 0;
  let cut = false;
  const tail = () => {
    const all = Buffer.concat(chunks);
    return all.length > limit ? all.subarray(all.length - limit) : all;
  };
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= limit) return;
    cut = true;
    // Cut down only now and then, so that a talkative command costs no copy for each of its lines.
    if (size > 2 * limit) {
      chunks = [tail()];
      size = (chunks[0] as Buffer).length;
    }
  });
  const ended = new Promise<void>((resolve) => void stream.once('close', resolve));
  return { ended, text: () => tail().toString('utf8'), cut: () => cut };
}
