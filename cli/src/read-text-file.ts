import { readFileSync } from 'node:fs';
import { InputError } from './input-error.ts';

/** The text of a file; undefined when it is gone. Throws InputError when it is no UTF-8 text. */
export function readTextFile(path: string): string | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new InputError(`${path} cannot be read (${code}). Name a file that you can read.`);
  }
  if (!process.getBuiltinModule('node:buffer').isUtf8(bytes)) {
    throw new InputError(`${path} is not UTF-8 text. Convert it first, for example: iconv -f latin1 -t utf-8`);
  }
  return bytes.toString('utf8');
}
