import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { KeyEncryptionKey } from '../crypto/key-file.ts';

/** A key for one backup alone, so that its frames can simply be numbered. The key file itself is never in a backup. */
export function backupKey(kek: KeyEncryptionKey, salt: Buffer): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', kek.key.export(), salt, 'damask backup', 32)));
}
