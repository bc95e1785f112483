import { chown, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../app-error.ts';
import { runToEnd } from '../child-process.ts';
import { makeFolder } from '../make-folder.ts';
import { type Account, childEnvironment } from './account.ts';
import type { Binaries } from './binaries.ts';
import { explainFileError, explainOutput } from './failure.ts';
import { isRunning } from './process-state.ts';

interface DataDirectoryOptions {
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly user: string;
  readonly binaries: Binaries;
  readonly account: Account;
  /** False leaves the new cluster to the system's cache: for tests only. */
  readonly durable: boolean;
  readonly signal?: AbortSignal;
}

/** Makes sure that a cluster of our version is there and ours; answers true when it was made now. */
export async function ensureDataDirectory(options: DataDirectoryOptions): Promise<boolean> {
  const { dataDirectory } = options;
  try {
    const version = await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8').catch(absent);
    if (version === undefined) return await create(options);
    checkVersion(version.trim(), options);
    await checkAccess(dataDirectory, options.account);
    return false;
  } catch (error) {
    throw explainFileError(error, dataDirectory);
  }
}

function checkVersion(found: string, { dataDirectory, binaries }: DataDirectoryOptions): void {
  if (found === binaries.major) return;
  const newer = Number(found) > Number(binaries.major);
  const way = newer
    ? 'Start the newer Damask that made it'
    : 'Start the Damask that made it once more, take a backup, and restore that here';
  throw new AppError(
    'unavailable',
    `The data in ${dataDirectory} belongs to PostgreSQL ${found}; this Damask brings ${binaries.major}. ${way}, or set DAMASK_DATA_DIR to an empty folder.`,
  );
}

// PostgreSQL refuses the same, but only after a start and in words that name no way out.
async function checkAccess(dataDirectory: string, account: Account): Promise<void> {
  const { uid, mode } = await stat(dataDirectory);
  const us = account.owner?.uid ?? process.getuid?.() ?? uid;
  if (uid !== us) {
    throw new AppError(
      'unavailable',
      `${dataDirectory} belongs to the user with id ${uid}, and PostgreSQL would run as ${us}. ` +
        `Start Damask as its owner, or give it away: chown -R ${us} '${dataDirectory}'.`,
    );
  }
  if (mode & 0o027) {
    const octal = (mode & 0o777).toString(8);
    throw new AppError(
      'unavailable',
      `${dataDirectory} is open to other users (mode ${octal}), and PostgreSQL refuses such data. Close it: chmod 700 '${dataDirectory}'.`,
    );
  }
}

/** A cluster appears under its name only when it is complete: a kill amid initdb leaves nothing that looks like one. */
async function create(options: DataDirectoryOptions): Promise<boolean> {
  const { dataDirectory, account } = options;
  const entries = await readdir(dataDirectory).catch(absent);
  if (entries && entries.length > 0) {
    throw new AppError(
      'unavailable',
      `${dataDirectory} holds files but no database. Empty it, or set DAMASK_DATA_DIR to another folder.`,
    );
  }
  const parent = dirname(dataDirectory);
  await makeFolder(parent, account.owner ? 0o711 : 0o700);
  await removeLeftovers(dataDirectory);
  const fresh = `${dataDirectory}.new-${process.pid}`;
  try {
    await mkdir(fresh, { mode: 0o700 });
    if (account.owner) await chown(fresh, account.owner.uid, account.owner.gid);
    await initdb(fresh, options);
    await rename(fresh, dataDirectory).catch((error: NodeJS.ErrnoException) => {
      // Another start was quicker; its cluster is as good as ours.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    if (options.durable) await syncDirectory(parent);
    return true;
  } finally {
    await rm(fresh, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function initdb(directory: string, options: DataDirectoryOptions): Promise<void> {
  const { account, binaries, user, durable, logFile, signal } = options;
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8'];
  const rest = ['--auth=trust', '--no-instructions', ...(durable ? [] : ['--no-sync'])];
  const [command, ...args] = [...account.wrapper, binaries.initdb, '-D', directory, '-U', user, ...locale, ...rest];
  const result = await runToEnd(command as string, args, {
    timeoutMs: 300_000,
    env: childEnvironment,
    cwd: directory,
    ...account.ids,
    ...(signal ? { signal } : {}),
  });
  if (result.code !== 0) throw explainOutput(result.stdout + result.stderr, options.dataDirectory, logFile).error;
}

async function removeLeftovers(dataDirectory: string): Promise<void> {
  const parent = dirname(dataDirectory);
  const prefix = `${basename(dataDirectory)}.new-`;
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : 0;
    if (pid > 0 && (pid === process.pid || !isRunning(pid)))
      await rm(join(parent, name), { recursive: true, force: true, maxRetries: 3 });
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
