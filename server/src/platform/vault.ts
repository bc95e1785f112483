import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { AppError } from './app-error.ts';
import type { Clock } from './clock.ts';
import type { KeyEncryptionKey } from './crypto/key-file.ts';
import { open, type Place, seal } from './crypto/seal.ts';
import type { Database } from './database/database.ts';

type PlaceInWorkspace = Omit<Place, 'workspace'>;

/** Seals and opens what is stored encrypted. Each workspace has a data key, wrapped by the key-encryption key. */
export interface Vault {
  /** Makes sure that the workspace's key is in memory. Nothing to wait for when it is. */
  ready(workspace: string): Promise<void> | undefined;
  /** Needs `ready` first. */
  seal(workspace: string, place: PlaceInWorkspace, plaintext: Buffer): Buffer | Promise<Buffer>;
  /** Throws when the value was not sealed for this place, or is damaged. */
  open(workspace: string, place: PlaceInWorkspace, sealed: Buffer): Promise<Buffer>;
  /** Key of an HMAC: what is stored as one can be found and compared, but not read. Needs `ready` first. */
  hmacKey(workspace: string, purpose: string): KeyObject;
}

interface DataKey {
  readonly version: number;
  readonly bytes: Buffer;
  readonly subkeys: Map<string, KeyObject>;
  /** What is sealed with today. */
  today?: { readonly day: number; readonly header: Buffer; readonly subkey: KeyObject };
}

// Format, version of the data key, process and day: with them and the data key anyone can derive the subkey.
const format = 1;
const headerLength = 1 + 4 + 16 + 4;
const dayMs = 86_400_000;
const mostSubkeys = 64;
const workspaceKeys = { table: 'platform.data_key', column: 'wrapped' };

/**
 * A subkey for each workspace, process and day bounds how many nonces one key ever sees: NIST SP 800-38D allows
 * 2^32 random ones, and no process seals so much in a day.
 */
export function createVault(options: {
  database: Database;
  kek: KeyEncryptionKey;
  process: string;
  clock: Clock;
}): Vault {
  const { database, kek, clock } = options;
  const processBytes = Buffer.from(options.process.replaceAll('-', ''), 'hex');
  const keys = new Map<string, DataKey>();
  const loading = new Map<string, Promise<void>>();

  const load = (workspace: string): Promise<void> => {
    const known = loading.get(workspace);
    if (known) return known;
    const loaded = readOrMakeKey(database, kek, workspace)
      .then((key) => {
        keys.set(workspace, key);
      })
      .finally(() => loading.delete(workspace));
    loading.set(workspace, loaded);
    return loaded;
  };

  const subkeyOf = (key: DataKey, day: number) => {
    const header = Buffer.alloc(headerLength);
    header.writeUInt8(format, 0);
    header.writeUInt32BE(key.version, 1);
    processBytes.copy(header, 5);
    header.writeUInt32BE(day, 21);
    return { day, header, subkey: subkey(key, header) };
  };

  return {
    ready: (workspace) => (keys.has(workspace) ? undefined : load(workspace)),
    seal(workspace, place, plaintext) {
      const key = keys.get(workspace);
      if (!key) throw new Error('A value was to be sealed before its key was ready');
      const day = Math.floor(clock.now() / dayMs);
      if (key.today?.day !== day) key.today = subkeyOf(key, day);
      const { subkey, header } = key.today;
      return seal(subkey, { workspace, table: place.table, row: place.row, column: place.column }, header, plaintext);
    },
    async open(workspace, place, sealed) {
      await this.ready(workspace);
      const key = keys.get(workspace) as DataKey;
      const header = sealed.subarray(0, headerLength);
      if (header.length < headerLength || header[0] !== format) throw new Error('A sealed value has an unknown format');
      if (header.readUInt32BE(1) !== key.version) {
        throw new AppError(
          'unavailable',
          'This was sealed with a key that was replaced since, and cannot be read any more. Enter it again where that is possible.',
        );
      }
      return open(subkey(key, header), { workspace, ...place }, headerLength, sealed);
    },
    hmacKey(workspace, purpose) {
      const key = keys.get(workspace);
      if (!key) throw new Error('An HMAC was asked for before its key was ready');
      return derive(key, `hmac ${purpose}`, Buffer.alloc(0), `damask hmac ${purpose}`);
    },
  };
}

function subkey(key: DataKey, header: Buffer): KeyObject {
  const salt = header.subarray(5, headerLength);
  return derive(key, salt.toString('latin1'), salt, 'damask field encryption');
}

function derive(key: DataKey, name: string, salt: Buffer, purpose: string): KeyObject {
  const known = key.subkeys.get(name);
  if (known) return known;
  const derived = createSecretKey(Buffer.from(hkdfSync('sha256', key.bytes, salt, purpose, 32)));
  if (key.subkeys.size >= mostSubkeys) key.subkeys.delete(key.subkeys.keys().next().value as string);
  key.subkeys.set(name, derived);
  return derived;
}

interface KeyRow {
  readonly version: number;
  readonly kek: string;
  readonly wrapped: Buffer;
}

async function readOrMakeKey(database: Database, kek: KeyEncryptionKey, workspace: string): Promise<DataKey> {
  const fresh = await wrapDataKey(kek, workspace, 1, randomBytes(32));
  const row = await database.transaction({ role: 'platform', workspace: null }, async (transaction) => {
    const read = () =>
      transaction.query<KeyRow>(
        'select version, kek, wrapped from platform.data_key where workspace = $1 order by version desc limit 1',
        [workspace],
      );
    const [found] = await read();
    if (found) return found;
    await transaction.query(
      'insert into platform.data_key (workspace, version, kek, wrapped) values ($1, 1, $2, $3) on conflict do nothing',
      [workspace, kek.id, fresh],
    );
    return (await read())[0] as KeyRow;
  });
  return { version: row.version, bytes: await unwrap(kek, workspace, row), subkeys: new Map() };
}

/** A workspace's data key as it is stored. */
export function wrapDataKey(kek: KeyEncryptionKey, workspace: string, version: number, bytes: Buffer) {
  return seal(kek.key, { workspace, row: String(version), ...workspaceKeys }, Buffer.alloc(0), bytes);
}

async function unwrap(kek: KeyEncryptionKey, workspace: string, row: KeyRow): Promise<Buffer> {
  if (row.kek !== kek.id) {
    throw new AppError(
      'unavailable',
      `The workspace's data key was wrapped by the key ${row.kek}, and the key file holds ${kek.id}. Put the right key file back.`,
    );
  }
  return open(kek.key, { workspace, row: String(row.version), ...workspaceKeys }, 0, row.wrapped);
}
