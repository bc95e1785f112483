import { holdsUnseen, quoteText } from './quote-text.ts';

/** Why a path cannot be taken, or undefined when it can. Paths are relative, with `/` between plain names. */
export function faultOfPath(path: string, bytesAllowed = 255): string | undefined {
  if (path === '') return 'is empty';
  if (path.length > bytesAllowed || Buffer.byteLength(path) > bytesAllowed)
    return `is longer than ${bytesAllowed} bytes`;
  if (!path.isWellFormed() || holdsUnseen(path)) return 'holds characters that cannot be seen';
  if (path !== path.normalize('NFC')) return 'is not in Unicode normal form C';
  if (path.startsWith('/')) return 'is absolute';
  if (path.includes('\\')) return 'holds a backslash; use / between names';
  if (unportable.test(path)) return 'holds one of < > : " | ? *, which not every system can store';
  for (const name of path.split('/')) {
    if (name === '') return 'has an empty name between slashes';
    if (name === '.' || name === '..') return `holds "${name}"`;
    if (name.startsWith(' ') || name.endsWith(' ') || name.endsWith('.')) {
      return 'has a name that begins or ends with a space, or ends with a dot';
    }
  }
  return undefined;
}

const unportable = /[<>:"|?*]/;

/** Pairs of paths that one disk would take for the same name, or for a file and a folder at once. Answers index and reason. */
export function findTwins(paths: readonly string[]): { index: number; detail: string }[] {
  const found: { index: number; detail: string }[] = [];
  const alike = (other: string) => `differs from ${quoteText(other)} only in capitals or in how letters are encoded`;
  const files = new Map<string, string>();
  for (const [index, path] of paths.entries()) {
    const folded = foldPath(path);
    const other = files.get(folded);
    if (other === undefined) files.set(folded, path);
    else found.push({ index, detail: other === path ? 'is there twice' : alike(other) });
  }
  const checked = new Set<string>();
  const folders = new Map<string, string>();
  for (const [index, path] of paths.entries()) {
    for (let at = path.lastIndexOf('/'); at !== -1; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at);
      // Above a folder that was seen, everything was seen.
      if (at === 0 || checked.has(folder)) break;
      checked.add(folder);
      const folded = foldPath(folder);
      const other = folders.get(folded);
      if (files.has(folded))
        found.push({ index, detail: `needs ${quoteText(folder)} to be a folder, and it is a file` });
      else if (other === undefined) folders.set(folded, folder);
      else found.push({ index, detail: alike(other) });
    }
  }
  return found;
}

/** Paths that a disk could take for the same name are equal after this. */
export function foldPath(path: string): string {
  if (/^[ -~]*$/.test(path)) return path.toLowerCase();
  return path.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
}
