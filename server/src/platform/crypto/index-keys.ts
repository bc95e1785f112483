import type { KeyObject } from 'node:crypto';
import { type DataKey, derive, remember } from './data-key.ts';

/**
 * Keys of HMACs. While a workspace has had one data key they come from it; the first rotation keeps them, since rows are found by
 * what was made with them.
 */
export interface IndexKeys {
  readonly root: Buffer;
  readonly kept: ReadonlyMap<string, Buffer>;
  readonly known: Map<string, KeyObject>;
}

/**
 * All purposes, so that the first rotation keeps what rows may hold an HMAC of. One that a later version adds is derived from
 * the root where keys are kept already: no row was made with it before.
 */
const purposes = ['subject', 'idempotency key', 'idempotent request', 'answer cache', 'list cursor'] as const;

export type HmacPurpose = (typeof purposes)[number];

const nothing = Buffer.alloc(0);
const keyOf = (bytes: Buffer, purpose: string) => derive(bytes, nothing, `damask hmac ${purpose}`);

/** The key for a purpose, of a workspace with or without kept ones. */
export function hmacKeyOf(newest: DataKey, index: IndexKeys | null, purpose: HmacPurpose): KeyObject {
  if (newest.erased) throw new Error('A data key was used after it was erased');
  if (index === null) return remember(newest.subkeys, `hmac ${purpose}`, () => keyOf(newest.bytes, purpose));
  return remember(index.known, purpose, () => index.kept.get(purpose) ?? keyOf(index.root, purpose));
}

/** What the first rotation keeps of the only data key. */
export function keepIndexKeys(only: DataKey): IndexKeys {
  return {
    root: derive(only.bytes, nothing, 'damask index root'),
    kept: new Map(purposes.map((purpose) => [purpose, keyOf(only.bytes, purpose)])),
    known: new Map(),
  };
}

export function writeIndexKeys({ root, kept }: IndexKeys): Buffer {
  const keys = Object.fromEntries([...kept].map(([purpose, bytes]) => [purpose, bytes.toString('base64')]));
  return Buffer.from(JSON.stringify({ root: root.toString('base64'), keys }));
}

export function readIndexKeys(text: Buffer): IndexKeys {
  const { root, keys } = JSON.parse(text.toString('utf8')) as { root: string; keys: Record<string, string> };
  return {
    root: Buffer.from(root, 'base64'),
    kept: new Map(Object.entries(keys).map(([purpose, bytes]) => [purpose, Buffer.from(bytes, 'base64')])),
    known: new Map(),
  };
}
