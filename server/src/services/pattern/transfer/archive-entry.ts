import { AppError } from '#platform/app-error.ts';
import { quoteText } from '../library/quote-text.ts';

/** One entry of an archive or of a commit, with what its header says. Nothing is unpacked before it is read. */
export interface ArchiveEntry {
  /** As it stands there, without `./` before and `/` after. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** Bytes when unpacked, as its header says; 0 where nothing says it. */
  readonly size: number;
  /** The whole content. Throws `invalid_archive` when it is not what its header says. */
  read(): Promise<Buffer>;
}

/** More entries than any library has; a bomb has them by the million. */
export const entriesAllowed = 100_000;

export function damaged(detail: string, cause?: unknown): AppError {
  return new AppError(
    'invalid_archive',
    `Nothing was imported: the archive ${detail}. Pack it again with zip or tar.`,
    {},
    { cause },
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A name as text. Archives that say a name in an old encoding are refused: two readers would see two names. */
export function readName(bytes: Uint8Array, which: number): string {
  let name: string;
  try {
    name = utf8.decode(bytes);
  } catch (cause) {
    throw damaged(
      `has a name that is not UTF-8 (entry ${which}, ${quoteText(Buffer.from(bytes).toString('latin1'), 80)})`,
      cause,
    );
  }
  if (name.includes('\0')) throw damaged(`has a name with NUL (${quoteText(name, 80)})`);
  return name;
}

/** The path of an entry as the tools write it: `./a/b/` is `a/b`. */
export function plainPath(name: string): string {
  return name.replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '');
}
