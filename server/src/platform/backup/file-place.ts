import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../app-error.ts';
import { isRunning } from '../postgres/process-state.ts';
import type { Destination, Source } from './place.ts';

const ending = '.partial';

/** Writes beside the file and gives it its name when it is complete and on the disk. Errors: `already_exists`, `unavailable`. */
export async function createFileDestination(path: string): Promise<Destination> {
  const folder = dirname(path);
  if (await stat(path).catch(() => undefined)) {
    throw new AppError(
      'already_exists',
      `${path} is there already. Give the backup another name, or remove that file.`,
    );
  }
  await removeLeftovers(path);
  const draft = `${path}.${process.pid}${ending}`;
  const handle = await open(draft, 'wx', 0o600).catch((error: unknown) => {
    throw explain(error, path);
  });
  const remove = async () => {
    await handle.close().catch(() => undefined);
    await rm(draft, { force: true });
  };
  return {
    name: path,
    async write(bytes) {
      await handle.writeFile(bytes).catch((error: unknown) => {
        throw explain(error, path);
      });
    },
    async finish() {
      try {
        await handle.sync();
        await handle.close();
        await rename(draft, path);
        const place = await open(folder, 'r');
        await place.sync().finally(() => place.close());
      } catch (error) {
        throw explain(error, path);
      }
    },
    abort: remove,
  };
}

/** What backups of this name left that were killed. */
async function removeLeftovers(path: string): Promise<void> {
  const names = await readdir(dirname(path)).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(`${basename(path)}.`) || !name.endsWith(ending)) continue;
    const pid = Number(name.slice(basename(path).length + 1, -ending.length));
    if (Number.isInteger(pid) && !isRunning(pid)) await rm(join(dirname(path), name), { force: true });
  }
}

export async function openFileSource(path: string): Promise<Source> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw explain(error, path);
  });
  const { size } = await handle.stat();
  return {
    name: path,
    size,
    read: (offset, length) => readExactly(handle, offset, length, path),
    stream: (offset) => readOn(handle, offset, size, path),
    async beside(name) {
      const other = join(dirname(path), basename(name));
      return (await stat(other).catch(() => undefined)) ? openFileSource(other) : undefined;
    },
    close: () => handle.close(),
  };
}

const pieceBytes = 1024 * 1024;

async function* readOn(handle: FileHandle, from: number, size: number, path: string): AsyncGenerator<Buffer> {
  for (let at = from; at < size; at += pieceBytes) {
    yield await readExactly(handle, at, Math.min(pieceBytes, size - at), path);
  }
}

async function readExactly(handle: FileHandle, offset: number, length: number, path: string): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  try {
    for (let done = 0; done < length; ) {
      const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) throw new Error('it became shorter while it was read');
      done += bytesRead;
    }
  } catch (error) {
    throw explain(error, path);
  }
  return bytes;
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full. Make room, or take another place',
  EDQUOT: 'Your share of the disk is full. Make room, or take another place',
  EFBIG: 'The file grew larger than is allowed here. Take another place',
  ENOENT: 'It or its folder is not there. Check the path',
  EACCES: 'You may not read or write there. Check who owns it',
  EPERM: 'You may not read or write there. Check who owns it',
  EROFS: 'That place is read-only. Take another one',
  EISDIR: 'That is a folder. Name a file in it',
};

function explain(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = reasons[code ?? ''] ?? message;
  return new AppError('unavailable', `${path}: ${reason.replace(/\.$/, '')}.`, {}, { cause: error });
}
