import type { Clock } from '#platform/clock.ts';
import { loadSigningKeys, type SigningKeys } from '#platform/crypto/signing-keys.ts';

/** The keys that sign checkpoints, read from their file each time: another one signs as soon as it was rotated. */
export interface AuditKeys {
  read(): Promise<SigningKeys>;
  list(): Promise<SigningKeys['list']>;
}

/** Without a file nothing is signed, and there are no keys. */
export function createAuditKeys(path: string | undefined, clock: Clock): AuditKeys {
  const read = () => {
    if (path === undefined) throw new Error('There is no file of audit keys');
    return loadSigningKeys(path, clock.now());
  };
  return { read, list: async () => (path === undefined ? [] : (await read()).list) };
}
