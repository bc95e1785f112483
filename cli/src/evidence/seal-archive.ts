import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Damask, EvidenceSeal } from '@damask/sdk';
import { OutputError } from '../output-error.ts';
import type { Sources } from './section.ts';
import type { Spool } from './spool.ts';
import { type TarMember, writeTar } from './tar-stream.ts';

/** The folder that the archive unpacks to. */
export const archiveFolder = 'damask-evidence/';
export const sealPath = 'seal.json';

/** Has the server sign the digests of all files. Throws what the server refuses with. */
export function sealSpool(damask: Damask, { spool, since, until }: Sources): Promise<EvidenceSeal> {
  const digests = spool.files().map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }));
  return damask.evidence.seal({ since, until, digests });
}

/** The text of the seal as it stands in the archive: nothing else is taken for it. */
export function sealText({ body, key, signature }: Pick<EvidenceSeal, 'body' | 'key' | 'signature'>): string {
  return `${JSON.stringify({ body, key, signature }, null, 2)}\n`;
}

/** Writes the archive; it has its name only when it is complete. Answers its bytes. Throws OutputError. */
export async function writeEvidence(
  path: string,
  spool: Spool,
  seal: EvidenceSeal,
  signal: AbortSignal,
): Promise<number> {
  const draft = `${path}.partial`;
  const text = Buffer.from(sealText(seal));
  const sealed: TarMember = {
    name: archiveFolder + sealPath,
    bytes: text.length,
    content: async function* () {
      yield text;
    },
  };
  const rest = [...spool.files()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const members = rest.map(
    (file): TarMember => ({
      name: archiveFolder + file.path,
      bytes: file.bytes,
      content: () => spool.read(file.path),
    }),
  );
  try {
    // What a killed one left, or a link that somebody put there.
    await rm(draft, { force: true });
    await pipeline(
      Readable.from(writeTar([sealed, ...members])),
      createGzip(),
      createWriteStream(draft, { mode: 0o600, flags: 'wx' }),
      { signal },
    );
    await rename(draft, path);
    return (await stat(path)).size;
  } catch (error) {
    await rm(draft, { force: true });
    const { code, syscall } = error as NodeJS.ErrnoException;
    throw syscall === undefined ? error : new OutputError(code);
  }
}
