import { isUtf8 } from 'node:buffer';
import { fileLimit, type PatternFile } from '@damask/contracts/pattern.ts';
import { AppError } from '#platform/app-error.ts';
import { foldPath } from '../library/check-paths.ts';
import { quoteText } from '../library/quote-text.ts';
import type { ArchiveEntry } from './archive-entry.ts';
import { faultOfEntryPath } from './entry-path.ts';
import { narrowTree } from './narrow-tree.ts';

export interface Selection {
  /** The folder that the paths of the files begin from; empty, or with `/` at its end. */
  readonly prefix: string;
  readonly files: readonly PatternFile[];
  /** What was left out, each with its reason. */
  readonly ignored: readonly { readonly path: string; readonly reason: string }[];
}

export const filesAllowed = 20_000;
const bytesAllowed = 64 * 1024 * 1024;
const problemsShown = 100;
const textNames = /\.(?:md|markdown|txt|ya?ml|json)$/i;

/**
 * Of all entries those that an import reads, as text, with paths from where the library begins. `within`: the folder to look in.
 * Refuses the whole when one path could leave its folder, or when links or other things that are no files stand among patterns.
 */
export async function selectFiles(entries: readonly ArchiveEntry[], within = ''): Promise<Selection> {
  const problems: string[] = [];
  for (const { path } of entries) {
    const fault = faultOfEntryPath(path);
    if (fault !== undefined) problems.push(`${quoteText(path, 300)} ${fault}`);
  }
  throwAny('invalid_archive', problems);

  const { prefix, includes } = narrowTree(entries, within);
  const ignored: { path: string; reason: string }[] = [];
  const wanted: ArchiveEntry[] = [];
  for (const entry of entries) {
    if (!entry.path.startsWith(prefix) || entry.kind === 'folder') continue;
    const path = entry.path.slice(prefix.length);
    if (/(?:^|\/)\.[^/]/.test(path)) ignored.push({ path, reason: 'hidden files are never imported' });
    else if (includes(path)) wanted.push({ ...entry, path });
    else if (entry.kind === 'file') ignored.push({ path, reason: 'outside the folder of patterns' });
    else ignored.push({ path, reason: 'a link is never followed' });
  }
  refuseLinks(entries, wanted, prefix);
  return { prefix, files: await readTexts(wanted, ignored), ignored };
}

/** No link may stand among what is read, nor for a folder above it: it could lead anywhere. */
function refuseLinks(entries: readonly ArchiveEntry[], wanted: readonly ArchiveEntry[], prefix: string): void {
  const above = new Set<string>();
  for (const { path } of wanted) {
    const whole = foldPath(prefix + path);
    for (let at = whole.lastIndexOf('/'); at > 0; at = whole.lastIndexOf('/', at - 1)) {
      const folder = whole.slice(0, at);
      if (above.has(folder)) break;
      above.add(folder);
    }
  }
  const special = new Set(wanted.filter(({ kind }) => kind !== 'file').map(({ path }) => prefix + path));
  const problems = entries
    .filter(({ kind, path }) => kind !== 'folder' && (special.has(path) || above.has(foldPath(path))))
    .map(
      ({ kind, path }) =>
        `${quoteText(path, 300)} is ${kind === 'link' ? 'a link' : kind === 'file' ? 'a file and a folder' : 'a device or pipe'}; put the file itself there`,
    );
  throwAny('invalid_archive', problems);
}

async function readTexts(wanted: readonly ArchiveEntry[], ignored: { path: string; reason: string }[]) {
  if (wanted.length > filesAllowed) {
    throwAny('invalid_tree', [`It holds ${wanted.length} files of patterns; one import takes ${filesAllowed}`]);
  }
  const files: PatternFile[] = [];
  const problems: string[] = [];
  let total = 0;
  for (const entry of wanted) {
    const bytes = entry.size > fileLimit ? undefined : await entry.read();
    const fault = faultOfText(bytes);
    if (bytes && fault === undefined) {
      total += bytes.length;
      if (total > bytesAllowed) throwAny('invalid_tree', ['It holds more than 64 MiB of patterns']);
      files.push({ path: entry.path, content: bytes.toString('utf8') });
    } else if (textNames.test(entry.path)) problems.push(`${quoteText(entry.path, 300)} ${fault}`);
    else ignored.push({ path: entry.path, reason: 'too large, or no UTF-8 text' });
  }
  throwAny('invalid_tree', problems);
  return files;
}

function faultOfText(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined || bytes.length > fileLimit) return `holds more than ${fileLimit} bytes`;
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (utf16) return 'is UTF-16 text; save it as UTF-8';
  if (!isUtf8(bytes)) return 'is not UTF-8 text; save it as UTF-8';
  return bytes.includes(0) ? 'holds NUL bytes; is it text?' : undefined;
}

function throwAny(code: 'invalid_archive' | 'invalid_tree', problems: readonly string[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const shown = problems.slice(0, problemsShown);
  const more = problems.length > 1 ? ` ${problems.length - 1} more; problems lists ${shown.length}.` : '';
  const listed = problems.length > 1 ? { problems: shown.map((detail) => ({ pointer: '', detail })) } : {};
  throw new AppError(code, `Nothing was imported. ${first}.${more}`, listed);
}
