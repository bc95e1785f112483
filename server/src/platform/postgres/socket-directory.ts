import { createHash } from 'node:crypto';
import { chmod, chown, lstat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../app-error.ts';
import { makeFolder } from '../make-folder.ts';
import type { Account } from './account.ts';
import { explainFileError } from './failure.ts';

// A socket's path has at most 107 bytes on Linux and 103 on macOS, and PostgreSQL appends its own name and `.lock`.
const longest = 103 - Buffer.byteLength('/.s.PGSQL.5432.lock');

/** Where the socket goes: the wanted folder, or a short one that is always the same for this data directory. */
export function fittingSocketDirectory(wanted: string, dataDirectory: string): string {
  if (Buffer.byteLength(wanted) <= longest) return wanted;
  const name = `damask-${process.getuid?.() ?? 0}-${createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16)}`;
  const short = join(tmpdir(), name);
  return Buffer.byteLength(short) <= longest ? short : join('/tmp', name);
}

/** Makes the folder, or checks that it is ours alone: whoever may enter it is a superuser of the database. */
export async function prepareSocketDirectory(path: string, account: Account): Promise<void> {
  try {
    const made = await makeFolder(path);
    const us = process.getuid?.() ?? 0;
    const owners = [us, account.owner?.uid ?? us];
    const found = await lstat(path);
    if (!made && (!found.isDirectory() || !owners.includes(found.uid))) {
      throw new AppError(
        'unavailable',
        `The database's socket would go to ${path}, which somebody else made. Remove it, or set DAMASK_DATA_DIR to a folder with a shorter path.`,
      );
    }
    if (account.owner && found.uid !== account.owner.uid) await chown(path, account.owner.uid, account.owner.gid);
    if ((found.mode & 0o777) !== 0o700) await chmod(path, 0o700);
  } catch (error) {
    throw explainFileError(error, path);
  }
}
