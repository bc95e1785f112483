import { type ChildProcess, spawn } from 'node:child_process';

/** The one place of the command line that starts programs. */
export type Child = ChildProcess;

export type Environment = Readonly<Record<string, string | undefined>>;

const stopLimitMs = 10_000;

/** Starts a program in a group of its own, so that Ctrl-C is for this command, and with its output for us to read. */
export function spawnApart([program = '', ...args]: readonly string[], env: Environment): Child {
  // Nothing is sent over the channel: when it closes, the program knows that this command was killed.
  const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  child.channel?.unref();
  return child;
}

/** Starts a program with this command's own terminal. */
export function spawnInForeground([program = '', ...args]: readonly string[], env: Environment): Child {
  return spawn(program, args, { env, stdio: 'inherit' });
}

/** Starts a program that goes on by itself; whether it works shows elsewhere. */
export function startAlone([program = '', ...args]: readonly string[], env: Environment): void {
  spawn(program, args, { env, detached: true, stdio: 'ignore' })
    .on('error', () => undefined)
    .unref();
}

/** Lets the person edit a file and resolves to the editor's exit code. `editor` may hold flags: `code --wait`. */
export async function runEditor(editor: string, file: string, env: Environment): Promise<number> {
  // As git does: the shell splits what its owner wrote, the file's name is an argument and never read by it.
  const child = spawn('/bin/sh', ['-c', `${editor} "$@"`, editor, file], { env, stdio: 'inherit' });
  // Ctrl-C is the editor's, and not the end of this command, while it runs.
  const stay = () => undefined;
  process.on('SIGINT', stay);
  return exitOf(child).finally(() => process.off('SIGINT', stay));
}

/** Gives a program a text on its standard input. Resolves to true when it took it within the time. */
export function feedProgram(
  [program = '', ...args]: readonly string[],
  text: string,
  env: Environment,
): Promise<boolean> {
  // No pipe back: some of these programs stay in the background and would hold it open.
  const child = spawn(program, args, { env, stdio: ['pipe', 'ignore', 'ignore'], timeout: 5_000 });
  child.stdin?.on('error', () => undefined).end(text);
  return new Promise((resolve) => {
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });
}

/** Hands over each line of the program's output. */
export function readLines(child: Child, take: (line: string) => void): void {
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}

/** Keeps the end of what the program says on its standard error. */
export function keepTail(child: Child): () => string {
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-4096);
  });
  return () => tail;
}

export function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').pop() || undefined;
}

export function exitOf(child: Child): Promise<number> {
  return new Promise((resolve) => {
    child.on('error', () => resolve(3));
    child.on('close', (code, signal) =>
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGKILL' ? 9 : 15)),
    );
  });
}

/** Asks it to end and waits for it, at most 10 s. Runs of others may still be draining then: it ends by itself. */
export async function stopChild(child: Child): Promise<void> {
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
