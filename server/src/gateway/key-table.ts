import type { KeyTableRow } from '@damask/contracts/api-key.ts';
import type { identityOperations } from '@damask/contracts/identity.ts';
import type { Client } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { systemContext } from '#platform/system-context.ts';
import { readTable } from './read-table.ts';

export interface KnownKey {
  readonly row: KeyTableRow;
  /** Milliseconds since 1970; infinity for a key without an end. */
  readonly expiresAt: number;
}

/** All live keys of all workspaces in memory: recognising a caller never asks the database. */
export interface KeyTable {
  /** Reads the table anew and puts it in place as a whole; when that fails, the last one stays. */
  load(): Promise<void>;
  /** By SHA-256 of the key, base64. Expired keys are not found. */
  find(hash: string): KnownKey | undefined;
  /** By its id, also an expired one. */
  read(id: string): KnownKey | undefined;
  /** Changes whenever another table is put in place. */
  readonly generation: number;
  readonly size: number;
}

export function createKeyTable(options: {
  identity: Pick<Client<typeof identityOperations>, 'readKeyTable'>;
  clock: Clock;
}): KeyTable {
  const { identity, clock } = options;
  let keys: ReadonlyMap<string, KnownKey> = new Map();
  let byId: ReadonlyMap<string, KnownKey> = new Map();
  let generation = 0;
  let started = 0;

  return {
    get generation() {
      return generation;
    },
    get size() {
      return keys.size;
    },
    async load() {
      const ticket = ++started;
      const table = new Map<string, KnownKey>();
      const ids = new Map<string, KnownKey>();
      await readTable(systemContext(clock), identity.readKeyTable, (row) => {
        const expiresAt = row.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(row.expires_at);
        const known = { row, expiresAt };
        table.set(row.hash, known);
        ids.set(row.id, known);
      });
      // Of two loads at once the later one knows more, whichever ends first.
      if (ticket < generation) return;
      keys = table;
      byId = ids;
      generation = ticket;
    },
    find(hash) {
      const known = keys.get(hash);
      return known && known.expiresAt > clock.now() ? known : undefined;
    },
    read: (id) => byId.get(id),
  };
}
