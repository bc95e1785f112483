import { AppError } from '#platform/app-error.ts';
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
    if (path === undefined) {
      throw new AppError('unavailable', 'Nothing is signed here: set DAMASK_AUDIT_KEY_FILE and start again.');
    }
    return loadSigningKeys(path, clock.now());
  };
  return { read, list: async () => (path === undefined ? [] : (await read()).list) };
}
