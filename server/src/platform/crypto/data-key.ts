import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

// Format, version of the data key, process and day: with them and the data key anyone can derive the subkey.
const format = 1;
export const headerLength = 1 + 4 + 16 + 4;
const mostSubkeys = 64;

/** One version of a workspace's data key, in memory. */
export interface DataKey {
  readonly version: number;
  readonly bytes: Buffer;
  readonly subkeys: Map<string, KeyObject>;
  erased: boolean;
  /** What is sealed with today. */
  today?: { readonly day: number; readonly header: Buffer; readonly subkey: KeyObject };
}

export const dataKeyOf = (version: number, bytes: Buffer): DataKey => ({
  version,
  bytes,
  subkeys: new Map(),
  erased: false,
});

/** Best effort: what Node derived and copied from the bytes goes with the next collection of garbage. */
export function eraseKey(key: DataKey): void {
  key.erased = true;
  key.bytes.fill(0);
  key.subkeys.clear();
  delete key.today;
}

/** Subkey and header of this process and day. */
export function todayOf(key: DataKey, processBytes: Buffer, day: number) {
  if (key.today?.day === day) return key.today;
  const header = Buffer.alloc(headerLength);
  header.writeUInt8(format, 0);
  header.writeUInt32BE(key.version, 1);
  processBytes.copy(header, 5);
  header.writeUInt32BE(day, 21);
  key.today = { day, header, subkey: subkeyOf(key, header) };
  return key.today;
}

/** Version of the data key that sealed this. Throws for what is no sealed value. */
export function versionOf(sealed: Buffer): number {
  if (sealed.length < headerLength || sealed[0] !== format) throw new Error('A sealed value has an unknown format');
  return sealed.readUInt32BE(1);
}

/** The subkey that a header names. */
export function subkeyOf(key: DataKey, header: Buffer): KeyObject {
  // Nothing may ever be sealed with zeros.
  if (key.erased) throw new Error('A data key was used after it was erased');
  const salt = header.subarray(5, headerLength);
  return remember(key.subkeys, salt.toString('latin1'), () => derive(key.bytes, salt, 'damask field encryption'));
}

export function remember(known: Map<string, KeyObject>, name: string, make: () => Buffer): KeyObject {
  const found = known.get(name);
  if (found) return found;
  const derived = createSecretKey(make());
  if (known.size >= mostSubkeys) known.delete(known.keys().next().value as string);
  known.set(name, derived);
  return derived;
}

export const derive = (bytes: Buffer, salt: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', bytes, salt, purpose, 32));
