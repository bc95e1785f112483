import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from './input-error.ts';
import { makeFolder } from './make-folder.ts';
import type { ArchiveFile } from './write-archive.ts';

/**
 * Writes files below a folder, which is made when it is missing. Files with the same bytes stay as they are; others are refused,
 * all of them before anything is written, unless `force`. Nothing is written through a link. Answers how many were written.
 * The paths were let pass by `refusePaths`.
 */
export function writeTree(folder: string, files: readonly ArchiveFile[], force: boolean): number {
  const due = files.filter(({ path, content }) => !isSame(join(folder, path), content));
  const there = due.filter(({ path }) => existsSync(join(folder, path)));
  if (there.length > 0 && !force) {
    const shown = there.slice(0, 5).map(({ path }) => join(folder, path));
    throw new InputError(
      `Nothing was written, because what is there differs: ${shown.join(', ')}${there.length > 5 ? ` and ${there.length - 5} more` : ''}. ` +
        'Name another folder, or overwrite them with --force.',
    );
  }
  try {
    for (const { path, content } of due) {
      refuseLink(folder, path);
      makeFolder(dirname(join(folder, path)));
      writeFileSync(join(folder, path), content, { mode: 0o644 });
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code, path = folder } = error as NodeJS.ErrnoException;
    throw new InputError(`${path} could not be written (${code}). Name a folder that you can write.`);
  }
  return due.length;
}

/** Throws InputError for a path that a disk, or a program that unpacks, could take for a place outside the folder. */
export function refusePaths(files: readonly ArchiveFile[], folder: string): void {
  for (const { path } of files) {
    const names = path.split('/');
    if (!names.some((name) => name === '' || name === '.' || name === '..') && !/[\\:\p{Cc}]/u.test(path)) continue;
    throw new InputError(
      `The server sent a path that would leave ${folder}: ${JSON.stringify(path)}. Nothing was written.`,
    );
  }
}

function isSame(path: string, content: string): boolean {
  try {
    return lstatSync(path).isFile() && readFileSync(path).equals(Buffer.from(content));
  } catch {
    return false;
  }
}

function refuseLink(folder: string, path: string): void {
  const names = path.split('/');
  for (let count = 1; count <= names.length; count++) {
    const at = join(folder, ...names.slice(0, count));
    if (lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()) {
      throw new InputError(`${at} is a link, and nothing is written through links. Name another folder.`);
    }
  }
}
