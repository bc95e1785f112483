import { chmod, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import { makeFolder } from '#platform/make-folder.ts';

/** How the command line reaches one installation. */
export interface Credential {
  /** Null when another installation has taken the address over. */
  readonly url: string | null;
  readonly api_key: string;
  /** Null where the database is elsewhere. */
  readonly data_dir: string | null;
}

/** By the id of the installation. */
export type Instances = Readonly<Record<string, Credential>>;

export const credentialsName = 'credentials.json';

const largest = 1024 * 1024;
const lockStaleAfter = 5_000;
const lockPatience = 20_000;

/**
 * Changes `credentials.json` in the folder, which only its owner can read: whole or not at all, durably, one process at
 * a time. Fields that it does not know stay. Errors: `unavailable` when the file or folder cannot be used.
 */
export async function changeCredentials(
  folder: string,
  clock: Clock,
  change: (instances: Instances) => Instances,
): Promise<Instances> {
  const file = join(folder, credentialsName);
  try {
    await makeFolder(folder);
    const unlock = await lock(`${file}.lock`, clock);
    try {
      const { content, shared } = await read(file);
      const instances = change(content.instances);
      const next = JSON.stringify({ ...content, instances }, null, 2);
      if (next !== JSON.stringify(content, null, 2)) await replace(folder, file, `${next}\n`);
      else if (shared) await chmod(file, 0o600);
      return instances;
    } finally {
      await unlock();
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(
      'unavailable',
      `The credentials cannot be kept in ${file}: ${(error as Error).message}. Make the folder writable for this user, or set DAMASK_CONFIG_DIR to another one.`,
      {},
      { cause: error },
    );
  }
}

interface Content {
  readonly instances: Instances;
}

async function read(file: string): Promise<{ content: Content; shared: boolean }> {
  const state = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (state === undefined) return { content: { instances: {} }, shared: false };
  if (!state.isFile() || state.size > largest) throw unreadable(file);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw unreadable(file);
    throw error;
  }
  if (!isRecord(content)) throw unreadable(file);
  const { instances = {} } = content;
  if (!isRecord(instances) || !Object.values(instances).every(isCredential)) throw unreadable(file);
  return { content: { ...content, instances: instances as Instances }, shared: (state.mode & 0o077) !== 0 };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCredential(value: unknown): value is Credential {
  if (!isRecord(value)) return false;
  const texts = [value.url, value.data_dir];
  return typeof value.api_key === 'string' && texts.every((text) => text === null || typeof text === 'string');
}

async function replace(folder: string, file: string, text: string) {
  const draft = `${file}.tmp`;
  await rm(draft, { force: true });
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  // The new name itself has to survive a power cut too.
  const directory = await open(folder, 'r');
  await directory.sync().finally(() => directory.close());
}

async function lock(path: string, clock: Clock): Promise<() => Promise<void>> {
  const until = clock.monotonic() + lockPatience;
  for (;;) {
    try {
      await (await open(path, 'wx', 0o600)).close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || clock.monotonic() > until) throw error;
    }
    // Whoever holds it writes one small file; a lock that is older belongs to a process that was killed.
    const made = await stat(path).then(
      (state) => state.mtimeMs,
      () => undefined,
    );
    if (made !== undefined && clock.now() - made > lockStaleAfter) await rm(path, { force: true });
    else await clock.sleep(20);
  }
}

function unreadable(file: string): AppError {
  return new AppError(
    'unavailable',
    `${file} does not hold what it should. It was left as it is: repair it, or move it away and make a new owner key.`,
  );
}
