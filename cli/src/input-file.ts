import { InputError } from './input-error.ts';
import { readInput } from './read-input.ts';
import { readTextFile } from './read-text-file.ts';
import type { Terminal } from './terminal.ts';

/** The text of a file, or of the standard input for `-`. Throws InputError. */
export async function readInputFile(path: string, terminal: Terminal): Promise<string> {
  const text = path === '-' ? await readInput([], terminal) : readTextFile(path);
  if (text === undefined) throw new InputError(`There is no file ${path}. Check the path.`, 'notFound');
  return text;
}
