import { type KeyObject, randomBytes } from 'node:crypto';
import { AppError } from './app-error.ts';
import type { Clock } from './clock.ts';
import { type DataKey, dataKeyOf, headerLength, subkeyOf, todayOf, versionOf } from './crypto/data-key.ts';
import { addFirst, type DataKeyRow, readNewest, readVersion } from './crypto/data-key-store.ts';
import { type HmacPurpose, hmacKeyOf, keepIndexKeys, readIndexKeys, writeIndexKeys } from './crypto/index-keys.ts';
import { createKeyCache, type HeldKeys } from './crypto/key-cache.ts';
import { open, type Place, reseal, seal } from './crypto/seal.ts';
import { type KeyRing, wrapChecked } from './crypto/wrapping-key.ts';
import type { Database } from './database/database.ts';
import type { Log } from './log.ts';

export type PlaceInWorkspace = Omit<Place, 'workspace'>;

/** A version of a data key that is to be stored: wrapped, and what it sealed of the keys of HMACs. */
export interface NextDataKey extends DataKeyRow {
  readonly index: Buffer;
}

/** Seals and opens what is stored encrypted. Each workspace has a data key, wrapped by the key-encryption key. */
export interface Vault {
  /**
   * Makes sure that the workspace's key is in memory. Nothing to wait for when it is.
   * Errors: `workspace_shredded`, `unavailable` when whoever keeps the key-encryption key does not answer.
   */
  ready(workspace: string): Promise<void> | undefined;
  /** With the newest version of the key. After `ready` without waiting, unless the key's time in memory ended in between. */
  seal(workspace: string, place: PlaceInWorkspace, plaintext: Buffer): Buffer | Promise<Buffer>;
  /**
   * With the version that sealed it. Errors: as `ready`, and a final `unavailable` for a value that was not sealed for this place,
   * is damaged, or whose key is lost.
   */
  open(workspace: string, place: PlaceInWorkspace, sealed: Buffer): Promise<Buffer>;
  /** The same text under the newest version, or null when it is under that. Throws as `open` does. */
  reseal(workspace: string, place: PlaceInWorkspace, sealed: Buffer): Promise<Buffer | null>;
  /** Key of an HMAC: what is stored as one can be found and compared, but not read. Needs `ready` first. */
  hmacKey(workspace: string, purpose: HmacPurpose): KeyObject;
  /** Whether what this version sealed can be opened; it is in memory then. Errors as `ready`. */
  holdVersion(workspace: string, version: number): Promise<boolean>;
  /** The version that seals, without anything that is secret. */
  newestVersion(workspace: string): Promise<number>;
  /** Makes the version after the newest. It counts once it is stored and the topic has moved. */
  makeNext(workspace: string): Promise<NextDataKey>;
  /** Looks for new versions and shredded workspaces: what follows the topic. */
  follow(): Promise<void>;
  /** Tells of workspaces whose keys were destroyed: what was opened with them is to be forgotten, too. */
  onShred(listener: (workspace: string) => void): void;
  /** To be called every minute or so: keeps keys in use fresh, forgets the others. */
  sweep(): Promise<void>;
}

/** The owner of what belongs to the whole installation; no workspace has this id. */
export const installation = '00000000-0000-0000-0000-000000000000';

const dayMs = 86_400_000;
/** Milliseconds that a data key may be in memory before whoever wrapped it is asked again. */
export const keyLifetime = 600_000;
const indexPlace = { table: 'platform.index_key', row: 'keys', column: 'sealed' };

/**
 * A subkey for each workspace, process and day bounds how many nonces one key ever sees: NIST SP 800-38D allows
 * 2^32 random ones, and no process seals so much in a day.
 */
export function createVault(options: {
  database: Pick<Database, 'transaction'>;
  keys: KeyRing;
  process: string;
  clock: Clock;
  log: Pick<Log, 'warn'>;
  lifetime?: number;
}): Vault {
  const { database, keys, clock, log, lifetime = keyLifetime } = options;
  const processBytes = Buffer.from(options.process.replaceAll('-', ''), 'hex');
  const listeners: ((workspace: string) => void)[] = [];
  const cache = createKeyCache({
    ...{ database, clock, log, lifetime },
    read: (workspace) => readKeys(workspace),
    onShred: (workspace) => {
      for (const listener of listeners) listener(workspace);
    },
  });

  async function readKeys(workspace: string) {
    let found = await readNewest(database, workspace);
    if (!found.row && !found.shredded) {
      const kek = await keys.current();
      const wrapped = await wrapChecked(kek, { workspace, version: 1 }, randomBytes(32));
      found = await addFirst(database, workspace, { kek: kek.id, wrapped });
    }
    if (found.shredded || !found.row) throw shredded();
    const newest = await unwrap(workspace, found.row);
    if (!newest) throw keyMissing(found.row);
    const index = found.index && readIndexKeys(await openWith(newest, workspace, indexPlace, found.index));
    return { newest, index };
  }

  async function unwrap(workspace: string, row: DataKeyRow): Promise<DataKey | undefined> {
    const kek = await keys.find(row.kek);
    return kek && dataKeyOf(row.version, await kek.unwrap({ workspace, version: row.version }, row.wrapped));
  }

  const take = (workspace: string): HeldKeys | Promise<HeldKeys> => cache.take(workspace) ?? cache.load(workspace);

  async function hold(workspace: string, version: number): Promise<{ key: DataKey; held: HeldKeys } | undefined> {
    let held = await take(workspace);
    // Another process may have begun to seal with a version that this one has not heard of.
    if (version > held.newest.version) held = await cache.load(workspace);
    if (version === held.newest.version) return { key: held.newest, held };
    const known = held.older.get(version);
    if (known) return { key: known, held };
    const row = await readVersion(database, workspace, version);
    const key = row && (await unwrap(workspace, row));
    if (!key) return undefined;
    // They may have been asked for again meanwhile, and these be erased.
    const current = await take(workspace);
    current.older.set(version, key);
    return { key, held: current };
  }

  async function holdFor(workspace: string, sealed: Buffer) {
    const held = await hold(workspace, versionOf(sealed));
    if (held) return held;
    throw new AppError(
      'unavailable',
      'This was sealed with a key that was replaced since, and cannot be read any more. Enter it again where that is possible.',
      { final: true },
    );
  }

  const sealWith = (key: DataKey, workspace: string, { table, row, column }: PlaceInWorkspace, plaintext: Buffer) => {
    const { subkey, header } = todayOf(key, processBytes, Math.floor(clock.now() / dayMs));
    return seal(subkey, { workspace, table, row, column }, header, plaintext);
  };
  const openWith = (key: DataKey, workspace: string, place: PlaceInWorkspace, sealed: Buffer) =>
    open(subkeyOf(key, sealed), { workspace, ...place }, headerLength, sealed);

  return {
    ready: (workspace) => (cache.take(workspace) ? undefined : cache.load(workspace).then(() => undefined)),
    seal(workspace, place, plaintext) {
      const held = cache.take(workspace);
      if (held) return sealWith(held.newest, workspace, place, plaintext);
      return cache.load(workspace).then(({ newest }) => sealWith(newest, workspace, place, plaintext));
    },
    async open(workspace, place, sealed) {
      try {
        const { key } = await holdFor(workspace, sealed);
        return await openWith(key, workspace, place, sealed);
      } catch (error) {
        if (error instanceof AppError) throw error;
        log.warn('A sealed value does not open where it is: it was damaged or moved', { workspace, ...place, error });
        throw doesNotOpen(error);
      }
    },
    async reseal(workspace, place, sealed) {
      const { key, held } = await holdFor(workspace, sealed);
      if (key === held.newest) return null;
      const { subkey, header } = todayOf(held.newest, processBytes, Math.floor(clock.now() / dayMs));
      return reseal(
        { key: subkeyOf(key, sealed), headerLength },
        { key: subkey, header },
        { workspace, ...place },
        sealed,
      );
    },
    hmacKey(workspace, purpose) {
      const held = cache.peek(workspace);
      if (!held) throw new Error('An HMAC was asked for before its key was ready');
      return hmacKeyOf(held.newest, held.index, purpose);
    },
    holdVersion: async (workspace, version) => (await hold(workspace, version)) !== undefined,
    newestVersion: async (workspace) => (await take(workspace)).newest.version,
    async makeNext(workspace) {
      const { newest, index } = await cache.load(workspace);
      const version = newest.version + 1;
      // Before the first wait: the keys in memory may be replaced and erased.
      const kept = writeIndexKeys(index ?? keepIndexKeys(newest));
      const kek = await keys.current();
      const next = dataKeyOf(version, randomBytes(32));
      const sealed = await sealWith(next, workspace, indexPlace, kept);
      const wrapped = await wrapChecked(kek, { workspace, version }, next.bytes);
      next.bytes.fill(0);
      return { version, kek: kek.id, wrapped, index: sealed };
    },
    follow: () => cache.follow(),
    onShred: (listener) => void listeners.push(listener),
    sweep: () => cache.sweep(),
  };
}

const shredded = () =>
  new AppError(
    'workspace_shredded',
    'The keys of this workspace were destroyed on purpose, and its texts with them. Work in another workspace.',
  );

const doesNotOpen = (cause: unknown) =>
  new AppError(
    'unavailable',
    'What is stored here cannot be decrypted: it was damaged, or moved from where it belongs. Enter it again, or bring it back from a backup.',
    { final: true },
    { cause },
  );

const keyMissing = ({ kek }: DataKeyRow) =>
  new AppError(
    'unavailable',
    `The workspace's data key was wrapped by the key ${kek}, which is not at hand. Put the right key file back, or set what DAMASK_KEY_SOURCE needs to reach that key.`,
  );
