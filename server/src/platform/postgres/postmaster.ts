import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runToEnd } from '../child-process.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { isRunning, isTaken } from './process-state.ts';

/** A running server as its `postmaster.pid` describes it. */
export interface Postmaster {
  readonly pid: number;
  readonly socketDirectory: string;
  readonly ready: boolean;
}

// The lines of postmaster.pid: 1 pid, 5 socket folder, 8 status.
const lines = { pid: 0, socketDirectory: 4, status: 7 };

/** What postmaster.pid says, whether or not the server still lives. A crash leaves the file behind, even saying `ready`. */
export async function readPostmaster(dataDirectory: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const line = text.split('\n');
  const pid = Number(line[lines.pid]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return {
    pid,
    socketDirectory: line[lines.socketDirectory] ?? '',
    ready: line[lines.status]?.trim() === 'ready',
  };
}

/** The live server of this data directory, or undefined. A lock file whose pid is taken by something else is disarmed. */
export async function findPostmaster(dataDirectory: string): Promise<Postmaster | undefined> {
  const found = await readPostmaster(dataDirectory);
  if (!found) return undefined;
  if (await isPostmaster(found.pid, dataDirectory)) return found;
  if (isTaken(found.pid)) await disarm(dataDirectory, found);
  return undefined;
}

/** True while the process is the postmaster of this very directory; false for a zombie, a backend, a reused pid. */
export async function isPostmaster(pid: number, dataDirectory: string): Promise<boolean> {
  if (!isRunning(pid)) return false;
  if (existsSync('/proc/self/cmdline')) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    return /postgres$/.test(words[0] ?? '') && words[words.indexOf('-D') + 1] === dataDirectory;
  }
  const listed = await runToEnd('ps', ['-o', 'command=', '-p', String(pid)], { timeoutMs: 5_000 });
  return listed.stdout.includes('postgres') && listed.stdout.includes(`-D ${dataDirectory} `);
}

// PostgreSQL will not start while the pid in a lock file is somebody's, even a zombie's. It lets its own parent's pid
// pass and then still checks that nobody holds the old shared memory, which deleting the file would switch off.
async function disarm(dataDirectory: string, stale: Postmaster): Promise<void> {
  const path = join(dataDirectory, 'postmaster.pid');
  const text = await readFile(path, 'utf8');
  if (!text.startsWith(`${stale.pid}\n`)) return;
  await writeFile(path, text.replace(/^\d+/, String(process.pid)));
  const lock = join(stale.socketDirectory, '.s.PGSQL.5432.lock');
  if (stale.socketDirectory && (await readFile(lock, 'utf8').catch(() => '')).startsWith(`${stale.pid}\n`)) {
    await rm(lock, { force: true });
  }
}

/** How long each way of asking is given, mildest first. None of them loses what was committed. */
const ways = [
  { signal: 'SIGINT', ms: 30_000, note: 'PostgreSQL did not shut down in time; it is stopped without a checkpoint' },
  { signal: 'SIGQUIT', ms: 10_000, note: 'PostgreSQL did not answer at all; it is killed' },
  { signal: 'SIGKILL', ms: 10_000, note: 'PostgreSQL could not be killed; its disk may hang' },
] as const;

/** Stops the server of a directory and waits until it has gone, at most 50 s. */
export async function shutDown(pid: number, dataDirectory: string, clock: Clock, log: Log): Promise<void> {
  for (const { signal, ms, note } of ways) {
    if (!(await isPostmaster(pid, dataDirectory))) return;
    sendSignal(pid, signal);
    const until = clock.monotonic() + ms;
    while (clock.monotonic() < until) {
      if (!(await isPostmaster(pid, dataDirectory))) return;
      await clock.sleep(10);
    }
    log.warn(note, { pid });
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended by itself.
  }
}
