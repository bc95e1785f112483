import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../input-error.ts';
import { readKeys, type SignedLine, type VerifyKey } from './anchors.ts';

export interface AnchorFolder {
  readonly lines: readonly SignedLine[];
  readonly keys: readonly VerifyKey[];
}

/** Checkpoints of a folder that the server writes, and the keys that lie beside them. Throws InputError. */
export function readFolder(folder: string): AnchorFolder {
  try {
    const names = readdirSync(folder)
      .filter((name) => /^checkpoints-.*\.jsonl$/.test(name))
      .sort();
    const lines = names.flatMap((name) => toLines(readFileSync(join(folder, name), 'utf8')));
    return { lines, keys: names.length > 0 ? readKeys(readFileSync(join(folder, 'keys.json'), 'utf8')) : [] };
  } catch (error) {
    throw new InputError(`The checkpoints in ${folder} cannot be read: ${(error as Error).message}.`);
  }
}

/** Keys of a file: `keys.json` of the checkpoints, or PEM. Throws InputError. */
export function readKeyFile(path: string): VerifyKey[] {
  try {
    return readKeys(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new InputError(`${path} holds no public keys: ${(error as Error).message}.`);
  }
}

/** A line that a crash cut off is passed over: the database never heard of it, and the next one names none that is missing. */
function toLines(text: string): SignedLine[] {
  return text.split('\n').flatMap((line) => toLine(line) ?? []);
}

function toLine(line: string): SignedLine | undefined {
  try {
    const { body, key, signature } = JSON.parse(line) as SignedLine;
    return [body, key, signature].every((one) => typeof one === 'string') ? { body, key, signature } : undefined;
  } catch {
    return undefined;
  }
}
