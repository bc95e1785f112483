import type { identityOperations, KeyTableRow } from '@damask/contracts/identity.ts';
import { type Permission, type Role, rolePermissions } from '@damask/contracts/permissions.ts';
import type { Client } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { systemContext } from '#platform/system-context.ts';
import type { Caller } from './dispatch.ts';

export interface KnownKey {
  readonly caller: Caller;
  /** Milliseconds since 1970; infinity for a key without an end. */
  readonly expiresAt: number;
}

/** All live keys of all workspaces in memory: recognising a caller never asks the database. */
export interface KeyTable {
  /** Reads the table anew and puts it in place as a whole; when that fails, the last one stays. */
  load(): Promise<void>;
  /** By SHA-256 of the key, base64. Expired keys are not found. */
  find(hash: string): KnownKey | undefined;
  /** Changes whenever another table is put in place. */
  readonly generation: number;
  readonly size: number;
}

// Parsing a page of this size holds the event loop for about 2 ms.
const pageSize = 1_000;

export function createKeyTable(options: {
  identity: Pick<Client<typeof identityOperations>, 'readKeyTable'>;
  clock: Clock;
}): KeyTable {
  const { identity, clock } = options;
  let keys: ReadonlyMap<string, KnownKey> = new Map();
  let generation = 0;
  let started = 0;

  async function readAll(): Promise<Map<string, KnownKey>> {
    const context = systemContext(clock);
    const table = new Map<string, KnownKey>();
    let after: string | undefined;
    do {
      const page = await identity.readKeyTable(context, { limit: pageSize, ...(after ? { after } : {}) });
      for (const row of page.items) table.set(row.hash, toKnownKey(row));
      if (page.next !== undefined && after !== undefined && page.next <= after) {
        throw new Error('The pages of the key table do not move on');
      }
      after = page.next;
    } while (after !== undefined);
    return table;
  }

  return {
    get generation() {
      return generation;
    },
    get size() {
      return keys.size;
    },
    async load() {
      const ticket = ++started;
      const table = await readAll();
      // Of two loads at once the later one knows more, whichever ends first.
      if (ticket < generation) return;
      keys = table;
      generation = ticket;
    },
    find(hash) {
      const known = keys.get(hash);
      return known && known.expiresAt > clock.now() ? known : undefined;
    },
  };
}

const permissionSets = new Map<Role, ReadonlySet<Permission>>(
  (Object.keys(rolePermissions) as Role[]).map((role) => [role, new Set(rolePermissions[role])]),
);
const none: ReadonlySet<Permission> = new Set();

function toKnownKey({ id, workspace, name, role, expires_at }: KeyTableRow): KnownKey {
  return {
    caller: { workspace, actor: { kind: 'key', id, name, role }, permissions: permissionSets.get(role) ?? none },
    expiresAt: expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(expires_at),
  };
}
