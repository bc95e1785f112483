import type { ArchiveEntry } from './archive-entry.ts';
import { findTree } from './find-tree.ts';

export interface Wanted {
  /** The folder where the library begins; empty, or with `/` at its end. */
  readonly prefix: string;
  /** Whether a path below it is read. */
  includes(path: string): boolean;
}

/** Finds the library among everything that a repository holds, so that the rest is neither unpacked nor complained about. */
export function narrowTree(entries: readonly ArchiveEntry[], within: string): Wanted {
  const inside = within === '' ? '' : `${within.replace(/^\/+|\/+$/g, '')}/`;
  const paths = entries.flatMap(({ kind, path }) =>
    kind === 'file' && path.startsWith(inside) ? [path.slice(inside.length)] : [],
  );
  const tree = findTree(paths);
  const parts = [tree.strategies, tree.descriptions].filter((part) => part !== null);
  if (tree.patterns !== '') return { prefix: inside, includes: begins([tree.patterns, ...parts]) };
  if (tree.single) return { prefix: inside, includes: () => true };
  const { prefix, folders } = foldersOfPatterns(paths);
  return {
    prefix: inside + prefix,
    includes: (path) => folders.has(path.slice(0, path.indexOf('/') + 1)) || begins(parts)(prefix + path),
  };
}

function begins(parts: readonly string[]): (path: string) => boolean {
  return (path) => parts.some((part) => path.startsWith(part));
}

/** Folders that hold a system.md, or the pattern.yaml of a chain: at the top, or all below one folder that archives wrap things in. */
function foldersOfPatterns(paths: readonly string[]): { prefix: string; folders: ReadonlySet<string> } {
  const folders = foldersWithMainFile(paths);
  const wrap = /^[^/]+\//.exec(paths[0] ?? '')?.[0];
  if (folders.size > 0 || wrap === undefined || !paths.every((path) => path.startsWith(wrap))) {
    return { prefix: '', folders };
  }
  return { prefix: wrap, folders: foldersWithMainFile(paths.map((path) => path.slice(wrap.length))) };
}

function foldersWithMainFile(paths: readonly string[]): Set<string> {
  return new Set(paths.flatMap((path) => /^[^/.][^/]*\/(?=(?:system\.md|pattern\.yaml)$)/.exec(path)?.[0] ?? []));
}
