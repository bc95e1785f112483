import { setImmediate as letOthersRun } from 'node:timers/promises';
import { namePattern } from '@damask/contracts/field.ts';
import type { PatternWarning } from '@damask/contracts/guard.ts';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import { AppError } from '#platform/app-error.ts';
import { warned } from '../guard/find-warnings.ts';
import { findStoredSecrets } from '../guard/refuse-secrets.ts';
import { faultOfPath, findTwins } from '../library/check-paths.ts';
import { quoteText } from '../library/quote-text.ts';
import { inspectVersion, type KnownAbout, type VersionContent } from '../library/version-content.ts';
import { findTree, type Tree } from './find-tree.ts';
import { type ImportedStrategy, readDescriptions, readStrategy } from './read-fabric-json.ts';

export interface PlannedPattern {
  readonly name: string;
  readonly content: VersionContent;
  /** Path of its system.md, or of a chain's pattern.yaml, among the files. */
  readonly system: string;
  /** git's hash of it, where it came from a commit. */
  readonly blob?: string | null;
  readonly warnings?: readonly PatternWarning[];
}

export interface ImportPlan {
  /** By name. */
  readonly patterns: readonly PlannedPattern[];
  readonly strategies: readonly ImportedStrategy[];
  /** Patterns and strategies with a secret in them, which are not imported. */
  readonly refused: readonly {
    readonly kind: 'pattern' | 'strategy';
    readonly name: string;
    readonly detail: string;
  }[];
  /** What was left out, each with its reason. */
  readonly ignored: readonly { readonly path: string; readonly reason: string }[];
}

interface Entry extends PatternFile {
  /** Position in the upload. */
  readonly index: number;
}

const pathAllowed = 1024;
const problemsShown = 100;
// About 2 ms of work.
const foldersInOneGo = 20;
const legalName = new RegExp(namePattern);
const nameRule = 'lower case letters, digits, _ and -, at most 100, beginning with a letter or digit';

/**
 * Reads an uploaded folder in Fabric's tree. `origin` names the folder it came from: a single pattern takes its name from there.
 * All or nothing: throws `invalid_tree` with every problem (at most 100) and a pointer to its entry.
 */
export async function planImport(
  files: readonly PatternFile[],
  origin = '',
  pointTo = (index: number) => `/files/${index}`,
): Promise<ImportPlan> {
  const problems = new Problems(files, pointTo);
  const entries = files.map((file, index): Entry => ({ ...file, index }));
  for (const { index, path } of entries) problems.add(index, faultOfPath(path, pathAllowed));
  for (const { index, detail } of findTwins(files.map((file) => file.path))) problems.add(index, detail);
  problems.throwAny();

  const ignored: ImportPlan['ignored'][number][] = [];
  const seen = entries.filter((entry) => {
    const hidden = /(?:^|\/)\.[^/]/.test(entry.path);
    if (hidden) ignored.push({ path: entry.path, reason: 'hidden files are never imported' });
    return !hidden;
  });
  const tree = findTree(seen.map((entry) => entry.path));
  const known = knownAbout(seen, tree, problems);
  const folders = new Map<string, Entry[]>();
  const strategies: ImportedStrategy[] = [];
  const refused: ImportPlan['refused'][number][] = [];
  for (const entry of seen) {
    if (entry.path === tree.descriptions) continue;
    if (tree.strategies !== null && entry.path.startsWith(tree.strategies)) {
      const inside = entry.path.slice(tree.strategies.length);
      if (!inside.endsWith('.json') || inside.includes('/')) {
        ignored.push({ path: entry.path, reason: 'a strategy is a .json file in the folder of strategies' });
        continue;
      }
      const { strategy, fault } = readStrategy(inside.slice(0, -'.json'.length), entry.content);
      problems.add(entry.index, fault);
      const [secret] = strategy ? findStoredSecrets(entry.content) : [];
      if (strategy && secret) {
        refused.push({ kind: 'strategy', name: strategy.name, detail: `line ${secret.line} ${secret.detail}` });
      } else if (strategy) strategies.push(strategy);
      continue;
    }
    const reason = placePattern(folders, entry, tree, origin);
    if (reason !== undefined) ignored.push({ path: entry.path, reason });
  }
  const patterns: (Omit<PlannedPattern, 'content'> & { content: VersionContent | undefined })[] = [];
  for (const [index, [name, inside]] of [...folders].entries()) {
    if (index % foldersInOneGo === 0) await letOthersRun();
    const main = inside.some(({ path }) => path === 'system.md') ? 'system.md' : 'pattern.yaml';
    const system = tree.single ? main : `${tree.patterns}${name}/${main}`;
    const content = readFolder(name, inside, known, problems, refused);
    patterns.push({
      ...{ name, system, content },
      ...(content ? warned({ ...content, template: content.settings.template }) : {}),
    });
  }
  if (patterns.length === 0 && strategies.length === 0 && refused.length === 0 && problems.none) {
    throw new AppError(
      'invalid_tree',
      'No pattern was found. Send a folder that holds data/patterns/, patterns/, folders with a system.md (or a pattern.yaml with steps), or a system.md itself.',
      { pointer: pointTo(0).replace('/0', '') },
    );
  }
  problems.throwAny();
  return {
    patterns: patterns
      .flatMap(({ name, system, content, warnings }) =>
        content ? [{ name, system, content, ...(warnings ? { warnings } : {}) }] : [],
      )
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    strategies: strategies.sort((a, b) => (a.name < b.name ? -1 : 1)),
    refused,
    ignored,
  };
}

/** Puts an entry into its pattern's folder; a reason when it belongs to none. */
function placePattern(folders: Map<string, Entry[]>, entry: Entry, tree: Tree, origin: string): string | undefined {
  if (!entry.path.startsWith(tree.patterns)) return 'outside the folder of patterns';
  const inside = entry.path.slice(tree.patterns.length);
  const slash = inside.indexOf('/');
  if (!tree.single && slash === -1) return 'not in the folder of a pattern';
  const name = tree.single
    ? (origin.replaceAll('\\', '/').split('/').filter(Boolean).at(-1) ?? '')
    : inside.slice(0, slash);
  const path = tree.single ? inside : inside.slice(slash + 1);
  const folder = folders.get(name);
  if (folder) folder.push({ ...entry, path });
  else folders.set(name, [{ ...entry, path }]);
  return undefined;
}

function readFolder(
  name: string,
  entries: readonly Entry[],
  known: ReadonlyMap<string, KnownAbout>,
  problems: Problems,
  refused: ImportPlan['refused'][number][],
): VersionContent | undefined {
  const first = entries[0]?.index ?? 0;
  if (!legalName.test(name)) {
    problems.add(first, `${quoteText(name)} cannot name a pattern: ${nameRule}`);
    return undefined;
  }
  const about = known.get(name);
  const { content, problems: found } = inspectVersion(name, entries, {
    ...(about && { known: about }),
    refuseTokens: false,
  });
  const secret = found.find((problem) => problem.secret);
  if (secret) {
    refused.push({ kind: 'pattern', name, detail: secret.detail });
    return undefined;
  }
  for (const { file, detail } of found) {
    problems.add(entries[file ?? 0]?.index ?? first, file === null ? `the folder ${name}: ${detail}` : detail);
  }
  return content;
}

function knownAbout(entries: readonly Entry[], tree: Tree, problems: Problems): ReadonlyMap<string, KnownAbout> {
  const entry = entries.find((each) => each.path === tree.descriptions);
  if (!entry) return new Map();
  const { known, fault } = readDescriptions(entry.content);
  problems.add(entry.index, fault);
  return known;
}

/** What is wrong with an upload, kept until all of it was read. */
class Problems {
  readonly #files: readonly PatternFile[];
  readonly #found: { pointer: string; detail: string }[] = [];
  #count = 0;

  readonly #pointTo: (index: number) => string;

  constructor(files: readonly PatternFile[], pointTo: (index: number) => string) {
    this.#files = files;
    this.#pointTo = pointTo;
  }

  get none(): boolean {
    return this.#count === 0;
  }

  add(index: number, fault: string | undefined): void {
    if (fault === undefined) return;
    this.#count++;
    if (this.#found.length === problemsShown) return;
    const path = quoteText(this.#files[index]?.path ?? '', 300);
    this.#found.push({ pointer: this.#pointTo(index), detail: `${path}: ${fault}` });
  }

  throwAny(): void {
    const [first] = this.#found;
    if (!first) return;
    const more = this.#count > 1 ? ` ${this.#count - 1} more; problems lists ${this.#found.length}.` : '';
    throw new AppError('invalid_tree', `Nothing was imported. ${first.detail}.${more}`, {
      pointer: first.pointer,
      problems: this.#found,
    });
  }
}
