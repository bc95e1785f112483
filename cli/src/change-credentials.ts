import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from './input-error.ts';
import { makeFolder } from './make-folder.ts';

/** What credentials.json holds. The server writes it too, and each leaves what it does not know as it is. */
export interface CredentialsContent {
  /** The server of `damask login`. */
  current?: string | undefined;
  instances: Record<string, { url: string | null; api_key: string; data_dir: string | null; workspace?: string }>;
  [other: string]: unknown;
}

const lockStaleAfterMs = 5_000;
const patienceMs = 10_000;

/** Changes credentials.json, which only its owner can read: whole or not at all, one process at a time. */
export async function changeCredentials(
  configDir: string,
  change: (content: CredentialsContent) => CredentialsContent,
): Promise<string> {
  const file = join(configDir, 'credentials.json');
  try {
    makeFolder(configDir);
    const unlock = await lock(`${file}.lock`);
    try {
      const next = `${JSON.stringify(change(read(file)), null, 2)}\n`;
      const draft = `${file}.tmp`;
      rmSync(draft, { force: true });
      const handle = openSync(draft, 'wx', 0o600);
      try {
        writeSync(handle, next);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      renameSync(draft, file);
    } finally {
      unlock();
    }
    return file;
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`${file} cannot be written (${code}). Make it writable, or set DAMASK_CONFIG_DIR.`);
  }
}

function read(file: string): CredentialsContent {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { instances: {} };
    throw error;
  }
  try {
    const content = JSON.parse(text) as CredentialsContent;
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
      return { ...content, instances: content.instances ?? {} };
    }
  } catch {
    // Told below.
  }
  throw new InputError(`${file} does not hold what it should. Repair it, or move it away and log in again.`);
}

async function lock(path: string): Promise<() => void> {
  const until = Date.now() + patienceMs;
  for (;;) {
    try {
      closeSync(openSync(path, 'wx', 0o600));
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || Date.now() > until) throw error;
    }
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    // Whoever holds it writes one small file; a lock that is older belongs to a process that was killed.
    if (made !== undefined && Date.now() - made > lockStaleAfterMs) rmSync(path, { force: true });
    else await process.getBuiltinModule('node:timers/promises').setTimeout(20);
  }
}
