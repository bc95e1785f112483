import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { PublicKey } from '#platform/crypto/signing-keys.ts';
import { makeFolder } from '#platform/make-folder.ts';

/** A signed line: `body` is the text that the signature is over. */
export interface SignedLine {
  readonly body: string;
  readonly key: string;
  readonly signature: string;
}

/** Where checkpoints are kept outside of the database: a file for each month that only grows, and the public keys. */
export interface CheckpointFolder {
  /** Resolves when the lines are on the disk. */
  append(lines: readonly SignedLine[], now: number): Promise<void>;
  /** Keeps the public keys beside them. */
  writeKeys(keys: readonly PublicKey[]): Promise<void>;
}

export function createCheckpointFolder(folder: string): CheckpointFolder {
  let written: string | undefined;
  return {
    async append(lines, now) {
      await makeFolder(folder);
      const month = new Date(now).toISOString().slice(0, 7);
      const handle = await open(join(folder, `checkpoints-${month}.jsonl`), 'a+', 0o600);
      try {
        const { size } = await handle.stat();
        const last = Buffer.alloc(1);
        if (size > 0) await handle.read(last, 0, 1, size - 1);
        // A line that a crash cut off must not swallow the next one.
        const begin = size > 0 && last[0] !== 0x0a ? '\n' : '';
        await handle.appendFile(`${begin}${lines.map((line) => `${JSON.stringify(line)}\n`).join('')}`);
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    async writeKeys(keys) {
      const asked = JSON.stringify(keys);
      if (asked === written) return;
      await makeFolder(folder);
      const path = join(folder, 'keys.json');
      const there = await readFile(path, 'utf8').catch(() => '');
      const text = `${JSON.stringify([...lostKeys(there, keys), ...keys], null, 2)}\n`;
      if (there !== text) {
        const handle = await open(`${path}.new`, 'w', 0o600);
        await handle.writeFile(text);
        await handle.sync().finally(() => handle.close());
        await rename(`${path}.new`, path);
      }
      written = asked;
    },
  };
}

/** Keys of before whose file was lost: what they signed can be verified only with them. */
function lostKeys(text: string, keys: readonly PublicKey[]): PublicKey[] {
  const until = keys[0]?.from ?? null;
  try {
    const before = JSON.parse(text) as PublicKey[];
    const lost = before.filter(({ public_key }) => keys.every((key) => key.public_key !== public_key));
    return lost.map((key) => ({ ...key, until: key.until ?? until }));
  } catch {
    return [];
  }
}
