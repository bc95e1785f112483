import type { LoginSessionTableRow, loginOperations } from '@damask/contracts/login.ts';
import type { Client } from '#platform/call.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { systemContext } from '#platform/system-context.ts';
import { readTable } from './read-table.ts';

export interface KnownSession {
  readonly id: string;
  readonly account: string;
  readonly kind: 'browser' | 'cli';
  /** The identity provider that was asked, if any was. */
  readonly provider: string | null;
}

/** All live login sessions in memory: recognising who signed in never asks the database. */
export interface LoginSessionTable {
  /** Reads the table anew and puts it in place as a whole; when that fails, the last one stays. */
  load(): Promise<void>;
  /** By SHA-256 of the secret, base64. What is found counts as used. */
  find(hash: string): KnownSession | undefined;
  /** Changes whenever another table is put in place. */
  readonly generation: number;
  stop(): void;
}

interface Entry extends KnownSession {
  seenAt: number;
  readonly storedAt: number;
  readonly expiresAt: number;
  readonly idleMs: number;
}

type Calls = Pick<Client<typeof loginOperations>, 'readLoginSessionTable' | 'noteLoginSessions'>;

const noteEvery = 60_000;
/** A use is told when the stored one is older, so that a session in use costs one row in this time. */
const toldEvery = 300_000;
const notedAtOnce = 5_000;

export function createLoginSessionTable(options: {
  readonly identity: Calls;
  readonly clock: Clock;
  readonly log: Log;
}): LoginSessionTable {
  const { identity, clock, log } = options;
  let entries: ReadonlyMap<string, Entry> = new Map();
  let generation = 0;
  let started = 0;
  let timer: Timer | undefined;
  const used = new Set<Entry>();

  async function note() {
    timer = undefined;
    const seen = [...used].map(({ id, seenAt }) => ({ id, at: new Date(seenAt).toISOString() }));
    used.clear();
    try {
      for (let from = 0; from < seen.length; from += notedAtOnce) {
        await identity.noteLoginSessions(systemContext(clock), { seen: seen.slice(from, from + notedAtOnce) });
      }
    } catch (error) {
      // The next use of each tells again.
      log.warn('The last uses of login sessions could not be noted', { error });
    }
  }

  function use(entry: Entry, now: number) {
    entry.seenAt = Math.max(entry.seenAt, now);
    if (now - entry.storedAt < Math.min(toldEvery, entry.idleMs / 12)) return;
    used.add(entry);
    timer ??= clock.after(noteEvery, () => void note());
  }

  return {
    get generation() {
      return generation;
    },
    async load() {
      const ticket = ++started;
      const read = new Map<string, Entry>();
      await readTable<LoginSessionTableRow>(systemContext(clock), identity.readLoginSessionTable, (row) => {
        const storedAt = Date.parse(row.seen_at);
        // What was used here and not yet told must not idle out.
        const seenAt = Math.max(storedAt, entries.get(row.hash)?.seenAt ?? 0);
        const { id, account, kind, provider, idle_ms: idleMs } = row;
        const expiresAt = Date.parse(row.expires_at);
        read.set(row.hash, { id, account, kind, provider, idleMs, storedAt, seenAt, expiresAt });
      });
      if (ticket < generation) return;
      entries = read;
      generation = ticket;
    },
    find(hash) {
      const entry = entries.get(hash);
      const now = clock.now();
      if (!entry || entry.expiresAt <= now || entry.seenAt + entry.idleMs <= now) return undefined;
      use(entry, now);
      return entry;
    },
    stop() {
      timer?.cancel();
    },
  };
}
