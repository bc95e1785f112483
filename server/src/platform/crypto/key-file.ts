import { createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../app-error.ts';
import { makeFolder } from '../make-folder.ts';

/** Wraps the data keys of the workspaces. */
export interface KeyEncryptionKey {
  readonly key: KeyObject;
  /** Tells two keys apart without giving either away. */
  readonly id: string;
}

const heading =
  '# Damask key-encryption key. Without it stored inputs, outputs and provider keys cannot be read. Keep a copy.';
const keyLength = 32;

/**
 * Reads the key file, or makes it. It belongs to its owner alone and lies outside the data folder, so that a copy of the
 * data is worthless without it. Errors: `unavailable` when it is missing but needed, readable by others, or not a key.
 */
export async function loadKeyFile(options: {
  path: string;
  allowCreate: boolean;
  /** What to say when it is missing. */
  missing?: string;
}): Promise<KeyEncryptionKey> {
  const { path, allowCreate } = options;
  const text = await readPrivate(path);
  if (text !== undefined) return parse(text, path);
  if (!allowCreate) {
    throw new AppError(
      'unavailable',
      options.missing ??
        `The key file ${path} is missing, and stored texts were encrypted with it. Put it back, point DAMASK_KEY_FILE to it, or bring it back with \`damask key import\`. Is it lost for good? \`damask key replace --lost\` goes on without the old texts.`,
    );
  }
  await create(path);
  return parse((await readPrivate(path)) ?? '', path);
}

async function readPrivate(path: string): Promise<string | undefined> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const reason = code === 'ELOOP' ? 'it is a link; give the path of the file itself' : (error as Error).message;
    throw new AppError('unavailable', `The key file ${path} cannot be read: ${reason}.`, {}, { cause: error });
  }
  try {
    const state = await handle.stat();
    if (!state.isFile() || state.size > 10_000) throw notKey(path);
    if ((state.mode & 0o077) !== 0) {
      throw new AppError('unavailable', `The key file ${path} can be read by other users. Run: chmod 600 '${path}'`);
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function parse(text: string, path: string): KeyEncryptionKey {
  const line = text.split('\n').find((candidate) => candidate !== '' && !candidate.startsWith('#')) ?? '';
  const bytes = Buffer.from(line.trim(), 'base64');
  if (bytes.length !== keyLength) throw notKey(path);
  return { key: createSecretKey(bytes), id: keyIdOf(bytes) };
}

/** Tells two keys apart without giving either away. */
export const keyIdOf = (bytes: Buffer) =>
  createHash('sha256').update('damask kek id').update(bytes).digest('hex').slice(0, 16);

/**
 * Makes the file of a key that is known. Errors: `already_exists` when there is another key; `unavailable`.
 * The same key in its place is left as it is.
 */
export async function placeKeyFile(path: string, bytes: Buffer): Promise<void> {
  await create(path, bytes);
  const { key } = parse((await readPrivate(path)) ?? '', path);
  if (key.export().equals(bytes)) return;
  throw new AppError('already_exists', `${path} holds another key. Move it away first, or set DAMASK_KEY_FILE.`);
}

/**
 * Puts a new key in the place of the old one, which stays beside it as `<path>.<its id>`. At no moment is one of them missing:
 * who looks for a key by its id finds it in the file or beside it. Errors: `unavailable`.
 */
export async function rotateKeyFile(path: string): Promise<{ readonly old: string; readonly oldPath: string }> {
  const { id: old } = await loadKeyFile({ path, allowCreate: false });
  const oldPath = `${path}.${old}`;
  await link(path, oldPath).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw notMade(oldPath, error);
  });
  const bytes = randomBytes(keyLength);
  const draft = `${path}.${keyIdOf(bytes)}`;
  await create(draft, bytes);
  await rename(draft, path);
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
  return { old, oldPath };
}

async function create(path: string, key: Buffer = randomBytes(keyLength)) {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await makeFolder(dirname(path));
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(`${heading}\n${key.toString('base64')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // A link fails when the name is there: of two processes that start together the first one's key stands.
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    throw notMade(path, error);
  } finally {
    await rm(draft, { force: true });
  }
}

function notMade(path: string, cause: unknown): AppError {
  return new AppError(
    'unavailable',
    `The key file ${path} cannot be made: ${(cause as Error).message}. Make its folder writable, or set DAMASK_KEY_FILE.`,
    {},
    { cause },
  );
}

function notKey(path: string): AppError {
  return new AppError(
    'unavailable',
    `${path} is not a key file of Damask. Put the right one back, or set DAMASK_KEY_FILE.`,
  );
}
