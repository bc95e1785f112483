import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { InputError } from '../input-error.ts';
import type { Spool } from './spool.ts';

const largest = 256 * 1024 * 1024;
const most = 50;

/** Refuses what could not be taken, before anything is asked for. Throws InputError. */
export function checkGiven(flag: string, paths: readonly string[]): void {
  if (paths.length > most) throw new InputError(`--${flag} takes at most ${most} files. Put them together first.`);
  for (const path of paths) {
    const state = statSync(path, { throwIfNoEntry: false });
    if (!state) throw new InputError(`${path} of --${flag} is not there.`, 'notFound');
    if (!state.isFile()) throw new InputError(`${path} of --${flag} is no file. Name each file by itself.`);
    if (state.size > largest) throw new InputError(`${path} of --${flag} is larger than 256 MiB.`);
  }
}

/** Copies files of this machine as they are. Their places are numbered: what they are called is no path of ours. */
export async function takeGiven(spool: Spool, flag: string, folder: string, paths: readonly string[]): Promise<void> {
  for (const [index, path] of paths.entries()) {
    const extension = /\.(json|jsonl|xml|tap|txt)$/.exec(path)?.[0] ?? '.txt';
    const file = await spool.open(`${folder}/${flag}-${index + 1}${extension}`, `--${flag} ${basename(path)}`);
    try {
      for await (const piece of createReadStream(path)) await file.write(piece as Uint8Array);
    } catch (error) {
      const { syscall, message } = error as NodeJS.ErrnoException;
      if (syscall === undefined) throw error;
      throw new InputError(`${path} cannot be read: ${message}.`);
    } finally {
      await file.end();
    }
  }
}
