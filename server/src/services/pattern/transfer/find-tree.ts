/** Where the parts of a library lie among uploaded paths. Prefixes end with `/`, or are empty for the top. */
export interface Tree {
  readonly patterns: string;
  /** Set when the upload is one pattern's own folder. */
  readonly single: boolean;
  readonly strategies: string | null;
  /** Fabric's file of descriptions and tags. */
  readonly descriptions: string | null;
}

/** Recognises `data/patterns/`, `patterns/`, a folder of patterns, or one pattern's folder; also below one enclosing folder. */
export function findTree(paths: readonly string[]): Tree {
  const base = enclosingFolder(paths);
  const under = (prefix: string) => paths.some((path) => path.startsWith(prefix));
  const first = (...prefixes: string[]) => prefixes.find(under);
  const patterns = first(`${base}data/patterns/`, `${base}patterns/`);
  const strategies = first(`${base}data/strategies/`, `${base}strategies/`) ?? null;
  const descriptions =
    paths.find((path) => path === `${base}scripts/pattern_descriptions/pattern_descriptions.json`) ?? null;
  if (patterns !== undefined) return { patterns, single: false, strategies, descriptions };
  return { patterns: '', single: isOnePattern(paths), strategies, descriptions };
}

// A chain has no system.md, and what is no pattern may have a pattern.yaml at its top.
function isOnePattern(paths: readonly string[]): boolean {
  if (paths.includes('system.md')) return true;
  return paths.includes('pattern.yaml') && !paths.some((path) => /^[^/]+\/(?:system\.md|pattern\.yaml)$/.test(path));
}

// An archive of a repository wraps everything in one folder, such as `fabric-main/`.
function enclosingFolder(paths: readonly string[]): string {
  const folder = /^[^/]+\//.exec(paths[0] ?? '')?.[0];
  if (folder === undefined || !paths.every((path) => path.startsWith(folder))) return '';
  const inside = ['data/patterns/', 'patterns/', 'data/strategies/', 'strategies/'];
  const wraps = inside.some((known) => paths.some((path) => path.startsWith(folder + known)));
  return wraps && !inside.some((known) => known.startsWith(folder)) ? folder : '';
}
