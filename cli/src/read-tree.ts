import { isUtf8 } from 'node:buffer';
import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { InputError } from './input-error.ts';
import { holdsPattern } from './pattern-folder.ts';

export interface Tree {
  /** Paths with / between segments, relative to the folder. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** What was left out, and why. */
  readonly ignored: readonly { readonly path: string; readonly reason: string }[];
}

const fileLimit = 1024 * 1024;
const treeLimit = 32 * 1024 * 1024;
const countLimit = 20_000;
// Of these a pattern is made: what cannot be read of them is a mistake, not something to leave out.
const textNames = /\.(?:md|markdown|txt|ya?ml|json)$/i;
const descriptions = 'scripts/pattern_descriptions/pattern_descriptions.json';

/**
 * Reads what an import needs of a Fabric tree: a clone (`data/patterns`, or `patterns` in old ones), a folder of
 * patterns, or one pattern. Links are not followed and nothing hidden is read, so that no key file leaves.
 * Throws InputError for Markdown, YAML and JSON that is too large or no UTF-8.
 */
export function readTree(folder: string): Tree {
  const root = ['data/patterns', 'patterns'].find((path) => isFolder(join(folder, path)));
  const reader = createReader(folder);
  if (root !== undefined) {
    reader.walk(root);
    const strategies = root.replace('patterns', 'strategies');
    if (isFolder(join(folder, strategies))) reader.walk(strategies);
  } else if (holdsPattern(folder)) {
    return readFolder(folder, `${basename(resolve(folder))}/`);
  } else {
    for (const entry of list(folder)) {
      if (entry.isDirectory() && holdsPattern(join(folder, entry.name))) reader.walk(entry.name);
    }
  }
  if (existsSync(join(folder, descriptions))) reader.file(descriptions);
  return reader.finish();
}

/** Reads all files of one folder, with `prefix` before their paths. */
export function readFolder(folder: string, prefix = ''): Tree {
  const reader = createReader(folder, prefix);
  reader.walk('');
  return reader.finish();
}

function createReader(folder: string, prefix = '') {
  const files: { path: string; content: string }[] = [];
  const ignored: { path: string; reason: string }[] = [];
  const unreadable: { path: string; reason: string }[] = [];
  let total = 0;
  const file = (path: string) => {
    const read = readText(join(folder, path));
    if ('reason' in read) {
      (textNames.test(path) ? unreadable : ignored).push({ path: prefix + path, reason: read.reason });
      return;
    }
    files.push({ path: prefix + path, content: read.content });
    total += read.size;
    if (total > treeLimit || files.length > countLimit) {
      throw new InputError(`${folder} holds more than one import takes (32 MiB, 20,000 files). Import parts of it.`);
    }
  };
  const walk = (path: string) => {
    for (const entry of list(join(folder, path))) {
      const inner = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      if (entry.isSymbolicLink()) ignored.push({ path: prefix + inner, reason: 'a link is not followed' });
      else if (entry.isDirectory()) walk(inner);
      else if (entry.isFile()) file(inner);
      else ignored.push({ path: prefix + inner, reason: 'not a file' });
    }
  };
  return {
    file,
    walk,
    finish(): Tree {
      refuseUnreadable(unreadable);
      return { files, ignored };
    },
  };
}

function refuseUnreadable(files: readonly { path: string; reason: string }[]): void {
  if (files.length === 0) return;
  const shown = files.slice(0, 10).map(({ path, reason }) => `\n  ${path}: ${reason}`);
  const more = files.length > shown.length ? `\n  and ${files.length - shown.length} more` : '';
  throw new InputError(`Nothing was sent, because these files cannot be read as patterns:${shown.join('')}${more}`);
}

function readText(path: string): { content: string; size: number } | { reason: string } {
  try {
    if (statSync(path).size > fileLimit) return { reason: 'larger than 1 MiB' };
    const bytes = readFileSync(path);
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    if (utf16) return { reason: 'UTF-16 text; save it as UTF-8' };
    if (!isUtf8(bytes)) return { reason: 'not UTF-8 text; save it as UTF-8' };
    if (bytes.includes(0)) return { reason: 'holds NUL bytes' };
    return { content: bytes.toString('utf8'), size: bytes.length };
  } catch (error) {
    return { reason: `cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new InputError(`There is no folder ${folder}. Check the path.`, 'notFound');
    throw new InputError(`${folder} cannot be read (${code}). Name a folder that you can read.`);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
