import type { Redaction } from '@damask/contracts/guard.ts';
import type { Deprecation } from '@damask/contracts/pattern-settings.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import { readRedactions } from '../guard/redaction-store.ts';
import { type LibraryVersion, toLibraryVersion } from './library-version.ts';
import { createSharedTexts, type SharedText } from './shared-texts.ts';
import {
  findTableVersion,
  readHorizon,
  readPatternChanges,
  readStrategyChanges,
  readTexts,
  type TablePatternRow,
  type TableStrategyRow,
} from './table-store.ts';
import { createVersionCache } from './version-cache.ts';

export type { LibraryVersion };

/** A living pattern. Replaced as a whole when it changes. */
export interface LibraryPattern {
  readonly id: string;
  readonly name: string;
  readonly latest: LibraryVersion;
  readonly labels: ReadonlyMap<string, LibraryVersion>;
  /** Set where the pattern should not be used any more. */
  readonly deprecated: Deprecation | null;
}

/** Patterns and strategies of all workspaces, in memory: the run path reads no database for them. */
export interface LibraryTable {
  /** Loads everything the first time, afterwards what has changed. Follows the topic `pattern.library`. */
  load(): Promise<void>;
  find(workspace: string, name: string): LibraryPattern | undefined;
  strategy(workspace: string, name: string): { readonly prompt: string } | undefined;
  /** What the workspace has taken out of the texts of all its runs. */
  redaction(workspace: string): Redaction | null;
  /** Any version of a living pattern. One that is neither the newest nor labelled is read from the database once. */
  version(workspace: string, name: string, number: number): Promise<LibraryVersion | undefined>;
  /** A version that was pinned earlier, also when its pattern was deleted or its name is another's by now. */
  pinned(workspace: string, pin: PinnedPattern): Promise<LibraryVersion | undefined>;
}

/** A version by the pattern's id; the name only finds it in memory. */
export interface PinnedPattern {
  readonly pattern: string;
  readonly id: string;
  readonly version: number;
}

interface Shelf {
  readonly patterns: Map<string, LibraryPattern>;
  readonly strategies: Map<string, { readonly prompt: string }>;
}

/** A shelf for each workspace: there is no key by which one could reach into another's. */
type Shelves = Map<string, Shelf>;

const pageRows = 200;
const textsAtOnce = 50;
const olderVersions = { versions: 1_000, characters: 32 * 1024 * 1024 };

export function createLibraryTable({ database, log }: { database: Database; log: Log }): LibraryTable {
  const texts = createSharedTexts();
  const older = createVersionCache(olderVersions);
  const reading = new Map<string, Promise<LibraryVersion | undefined>>();
  let shelves: Shelves = new Map();
  let redactions: ReadonlyMap<string, Redaction> = new Map();
  let horizon: string | undefined;

  const asPlatform = <Result>(work: (transaction: Transaction) => Promise<Result>) =>
    database.transaction({ role: 'platform', workspace: null }, work);
  const find = (workspace: string, name: string) => shelves.get(workspace)?.patterns.get(name);

  async function readOlder(workspace: string, pattern: string, number: number) {
    const row = await database.transaction({ role: 'pattern', workspace }, (transaction) =>
      findTableVersion(transaction, pattern, number),
    );
    return row && toLibraryVersion(row, texts.hold(row.system_hash, row.text));
  }

  async function findVersion(workspace: string, living: LibraryPattern | undefined, id: string, number: number) {
    const inMemory = heldVersions(living, id).get(number);
    if (inMemory) return inMemory;
    const key = `${workspace} ${id} ${number}`;
    const known = older.find(key) ?? reading.get(key);
    if (known) return known;
    const read = readOlder(workspace, id, number).finally(() => reading.delete(key));
    reading.set(key, read);
    const version = await read;
    if (version) older.put(key, version);
    return version;
  }

  return {
    async load() {
      const livingOnly = horizon === undefined;
      // A restore may have moved numbers of transactions below zero.
      const since = horizon ?? '-9223372036854775808';
      const target: Shelves = livingOnly ? new Map() : shelves;
      // Asked before the rows: what is committed in between is seen now or by the next load, perhaps by both.
      const next = await asPlatform(readHorizon);
      redactions = await asPlatform(readRedactions);
      let changes = 0;
      for (let after: TablePatternRow | undefined, more = true; more; ) {
        const page = await asPlatform(async (transaction) => {
          const rows = await readPatternChanges(transaction, { since, after, livingOnly, limit: pageRows });
          return { rows, held: await holdTexts(transaction, target, rows) };
        });
        for (const row of page.rows) applyPattern(target, row, page.held);
        after = page.rows.at(-1);
        more = page.rows.length === pageRows;
        changes += page.rows.length;
      }
      for (let after: TableStrategyRow | undefined, more = true; more; ) {
        const rows = await asPlatform((transaction) =>
          readStrategyChanges(transaction, { since, after, livingOnly, limit: pageRows }),
        );
        for (const row of rows) applyStrategy(target, row);
        after = rows.at(-1);
        more = rows.length === pageRows;
        changes += rows.length;
      }
      shelves = target;
      horizon = next;
      log.debug('The table of patterns was loaded', { changes, since });
    },
    find,
    redaction: (workspace) => redactions.get(workspace) ?? null,
    strategy: (workspace, name) => shelves.get(workspace)?.strategies.get(name),
    async version(workspace, name, number) {
      const pattern = find(workspace, name);
      return pattern && findVersion(workspace, pattern, pattern.id, number);
    },
    pinned: (workspace, { pattern, id, version }) => findVersion(workspace, find(workspace, pattern), id, version),
  };

  /** The texts that the rows need and that no version in memory has yet. */
  async function holdTexts(transaction: Transaction, target: Shelves, rows: readonly TablePatternRow[]) {
    const held = new Map<string, SharedText>();
    const wanted = new Map<string, { workspace: string; hash: string }>();
    for (const { workspace, id, name, deleted, versions } of rows) {
      if (deleted) continue;
      const known = heldVersions(target.get(workspace)?.patterns.get(name), id);
      for (const { number, system_hash: hash } of versions) {
        if (known.has(number)) continue;
        const shared = texts.find(hash);
        if (shared) held.set(hash, shared);
        else wanted.set(hash, { workspace, hash });
      }
    }
    const list = [...wanted.values()];
    for (let from = 0; from < list.length; from += textsAtOnce) {
      for (const { hash, content } of await readTexts(transaction, list.slice(from, from + textsAtOnce))) {
        held.set(hash, texts.hold(hash, content));
      }
    }
    return held;
  }
}

/** Versions of a pattern that are in memory. Empty for another pattern that only had the same name. */
function heldVersions(pattern: LibraryPattern | undefined, id = pattern?.id): Map<number, LibraryVersion> {
  if (!pattern || pattern.id !== id) return new Map();
  return new Map([pattern.latest, ...pattern.labels.values()].map((version) => [version.number, version]));
}

function shelfOf(target: Shelves, workspace: string): Shelf {
  let shelf = target.get(workspace);
  if (!shelf) {
    shelf = { patterns: new Map(), strategies: new Map() };
    target.set(workspace, shelf);
  }
  return shelf;
}

function applyPattern(target: Shelves, row: TablePatternRow, texts: ReadonlyMap<string, SharedText>): void {
  const { workspace, id, name, deleted, latest, labels } = row;
  const { patterns } = shelfOf(target, workspace);
  const before = patterns.get(name);
  if (deleted) {
    // A new pattern may have taken the name already.
    if (before?.id === id) patterns.delete(name);
    return;
  }
  // A version never changes, so the one in memory stays, with its compiled template.
  const versions = heldVersions(before, id);
  for (const version of row.versions) {
    const text = texts.get(version.system_hash);
    if (!versions.has(version.number) && text) versions.set(version.number, toLibraryVersion(version, text));
  }
  const versionOf = (number: number) => {
    const version = versions.get(number);
    if (!version) throw new Error(`Version ${number} of the pattern ${id} was not read`);
    return version;
  };
  const labelled = new Map(Object.entries(labels).map(([label, number]) => [label, versionOf(number)]));
  patterns.set(name, { id, name, latest: versionOf(latest), labels: labelled, deprecated: row.deprecated });
}

function applyStrategy(target: Shelves, { workspace, name, deleted, prompt }: TableStrategyRow): void {
  const { strategies } = shelfOf(target, workspace);
  if (deleted) strategies.delete(name);
  else strategies.set(name, { prompt });
}
