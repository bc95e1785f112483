import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import type { Clock } from '#platform/clock.ts';

export interface FolderLockOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Called once when somebody else holds the lock. */
  readonly onWait?: () => void;
}

const heartbeatMs = 2_000;
const staleAfterMs = 15_000;
const lookEveryMs = 250;

/**
 * Runs `work` while no other process does, so that a big file is fetched once. It saves work and nothing depends on it:
 * where two get in (a laptop that slept), each has its own temporary folder and the last step is an atomic rename.
 */
export async function withFolderLock<T>(path: string, options: FolderLockOptions, work: () => Promise<T>): Promise<T> {
  const { clock, signal } = options;
  signal?.throwIfAborted();
  const mark = clock.uuid();
  let waited = false;
  while (!(await take(path, mark))) {
    if (!waited) options.onWait?.();
    waited = true;
    await removeStale(path, mark, clock);
    await clock.sleep(lookEveryMs, signal);
  }
  const ended = new AbortController();
  const beating = beat(path, clock, ended.signal);
  try {
    return await work();
  } finally {
    ended.abort();
    await beating;
    if ((await readFile(path, 'utf8').catch(() => '')) === mark) await rm(path, { force: true });
  }
}

async function take(path: string, mark: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(mark);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The holder died without a word when nothing touches its file any more. */
async function removeStale(path: string, mark: string, clock: Clock): Promise<void> {
  const file = await stat(path).catch(() => undefined);
  if (!file || clock.now() - file.mtimeMs < staleAfterMs) return;
  const aside = `${path}.${mark}`;
  await rename(path, aside).catch(() => {});
  await rm(aside, { force: true });
}

async function beat(path: string, clock: Clock, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    await clock.sleep(heartbeatMs, ended).catch(() => {});
    const now = clock.now() / 1000;
    if (!ended.aborted) await utimes(path, now, now).catch(() => {});
  }
}
