import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly url?: string;
  /** Of the standard input; null leaves it open. */
  readonly input?: string | Uint8Array | null;
  readonly env?: Readonly<Record<string, string>>;
  readonly home?: string;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when stdout has this text. */
  seen(text: string): Promise<void>;
}

const homes: string[] = [];
process.on('exit', () => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

/** A folder for one test, removed when the file is done. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'damask-cli-'));
  homes.push(folder);
  return folder;
}

/** The environment of a command that touches nothing of this user's. */
export function cliEnvironment({ url, env, home = makeFolder() }: CliOptions): Record<string, string | undefined> {
  return {
    PATH: process.env.PATH,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    HOME: home,
    TMPDIR: home,
    DAMASK_URL: url ?? 'http://127.0.0.1:9',
    DAMASK_API_KEY: 'dmk_test',
    DAMASK_SERVER: join(home, 'no-server.ts'),
    ...env,
  };
}

/** Starts `damask` as a process of its own. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const child = spawn(process.execPath, ['--disallow-code-generation-from-strings', main, ...args], {
    env: cliEnvironment(options),
  });
  let stdout = '';
  let stderr = '';
  const waiting: { text: string; resolve: () => void }[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const one of waiting) if (stdout.includes(one.text)) one.resolve();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined);
  if (options.input !== null) child.stdin.end(options.input ?? '');
  return {
    child,
    finished: new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr }))),
    seen: (text) =>
      new Promise((resolve) => {
        if (stdout.includes(text)) resolve();
        else waiting.push({ text, resolve });
      }),
  };
}

/** Runs `damask` to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<Finished> {
  return startCli(args, options).finished;
}
