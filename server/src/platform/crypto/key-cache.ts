import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { type DataKey, eraseKey } from './data-key.ts';
import { readVersions } from './data-key-store.ts';
import type { IndexKeys } from './index-keys.ts';

/** The keys of a workspace in memory. */
export interface HeldKeys {
  readonly newest: DataKey;
  readonly index: IndexKeys | null;
  /** Older versions that something was opened with. */
  readonly older: Map<number, DataKey>;
  /** By the clock's `monotonic`. */
  readonly heldAt: number;
  usedAt: number;
}

/** Data keys in memory, each for a bounded time. Whoever keeps the key that wraps them is asked again in good time. */
export interface KeyCache {
  /** Undefined when it is not there, or has been there too long. */
  take(workspace: string): HeldKeys | undefined;
  /** The same also beyond its time, for what was asked of it a moment ago. */
  peek(workspace: string): HeldKeys | undefined;
  /** Reads it; many that ask together ask once. Errors: those of `read`, and for a moment the last one again. */
  load(workspace: string): Promise<HeldKeys>;
  /** Looks which workspaces have a newer version, or none any more. */
  follow(): Promise<void>;
  /** Asks again for keys in use, and forgets those that nobody used for their whole time. */
  sweep(): Promise<void>;
}

const pauseAfterFailure = 2_000;
const atOnce = 8;
const mostWorkspaces = 10_000;
const page = 1_000;

export function createKeyCache(options: {
  database: Pick<Database, 'transaction'>;
  clock: Clock;
  log: Pick<Log, 'warn'>;
  /** Milliseconds that a key may be held. */
  lifetime: number;
  read: (workspace: string) => Promise<Pick<HeldKeys, 'newest' | 'index'>>;
  /** Its keys were destroyed on purpose. */
  onShred: (workspace: string) => void;
}): KeyCache {
  const { database, clock, log, lifetime, read, onShred } = options;
  const held = new Map<string, HeldKeys>();
  const loading = new Map<string, Promise<HeldKeys>>();
  const failed = new Map<string, { readonly until: number; readonly error: unknown }>();
  const refreshFrom = lifetime * 0.8;

  // Not at once: who was handed them in this moment still derives from them.
  const erase = ({ newest, older }: HeldKeys) =>
    clock.after(0, () => {
      eraseKey(newest);
      for (const key of older.values()) eraseKey(key);
    });

  const forget = (workspace: string) => {
    const keys = held.get(workspace);
    held.delete(workspace);
    if (keys) erase(keys);
  };

  const shred = (workspace: string) => {
    if (!held.has(workspace)) return;
    forget(workspace);
    onShred(workspace);
  };

  const load = (workspace: string): Promise<HeldKeys> => {
    const known = loading.get(workspace);
    if (known) return known;
    const failure = failed.get(workspace);
    // While its keeper is away, requests are told at once instead of waiting one after the other.
    if (failure && failure.until > clock.monotonic()) return Promise.reject(failure.error);
    const loaded = read(workspace)
      .then(
        (keys) => {
          failed.delete(workspace);
          const now = clock.monotonic();
          const before = held.get(workspace);
          const entry = { ...keys, older: new Map(), heldAt: now, usedAt: before?.usedAt ?? now };
          held.set(workspace, entry);
          if (before) erase(before);
          else if (held.size > mostWorkspaces) forget(held.keys().next().value as string);
          return entry;
        },
        (error: unknown) => {
          if (failed.size > mostWorkspaces) failed.clear();
          failed.set(workspace, { until: clock.monotonic() + pauseAfterFailure, error });
          if (error instanceof AppError && error.code === 'workspace_shredded') shred(workspace);
          throw error;
        },
      )
      .finally(() => loading.delete(workspace));
    loading.set(workspace, loaded);
    return loaded;
  };

  const refresh = (workspace: string) =>
    load(workspace).then(
      () => undefined,
      (error: unknown) => log.warn('A data key could not be refreshed; the one in memory serves to its end', { error }),
    );

  async function refreshAll(workspaces: string[]) {
    const next = async (): Promise<void> => {
      for (let workspace = workspaces.pop(); workspace !== undefined; workspace = workspaces.pop()) {
        await refresh(workspace);
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, workspaces.length) }, next));
  }

  return {
    take(workspace) {
      const keys = held.get(workspace);
      if (!keys) return undefined;
      const now = clock.monotonic();
      const age = now - keys.heldAt;
      if (age >= lifetime) return undefined;
      keys.usedAt = now;
      if (age >= refreshFrom && !loading.has(workspace) && !failed.has(workspace)) void refresh(workspace);
      return keys;
    },
    peek: (workspace) => held.get(workspace),
    load,
    async follow() {
      const known = [...held.keys()];
      const changed: string[] = [];
      for (let from = 0; from < known.length; from += page) {
        const some = known.slice(from, from + page);
        const versions = await readVersions(database, some);
        for (const workspace of some) {
          const keys = held.get(workspace);
          const version = versions.get(workspace);
          if (version === undefined) shred(workspace);
          else if (keys && version !== keys.newest.version) changed.push(workspace);
        }
      }
      failed.clear();
      await refreshAll(changed);
    },
    async sweep() {
      const now = clock.monotonic();
      const due: string[] = [];
      for (const [workspace, { heldAt, usedAt }] of held) {
        const unused = now - usedAt >= lifetime;
        if (unused || now - heldAt >= lifetime) {
          forget(workspace);
          // In use, and its keeper was away for too long: it may be back.
          if (!unused) due.push(workspace);
        } else if (now - heldAt >= refreshFrom) due.push(workspace);
      }
      await refreshAll(due);
    },
  };
}
