import { createSecretKey } from 'node:crypto';
import { AppError } from '../app-error.ts';
import { type KeyEncryptionKey, keyIdOf } from './key-file.ts';

const keyLength = 32;
const howTo = 'Make one with: openssl rand -base64 32';

/**
 * The keys of a variable, by comma: the first wraps, the others only open what they wrapped. Each is 32 random bytes in base64
 * or hexadecimal. Errors: `invalid_request` for one that is too short, or that looks like an example.
 */
export function readEnvironmentKeys(text: string): readonly KeyEncryptionKey[] {
  return text.split(',').map((part) => {
    const bytes = decode(part.trim());
    if (bytes?.length !== keyLength) {
      throw new AppError('invalid_request', `DAMASK_KEY must be 32 random bytes in base64 or hexadecimal. ${howTo}`);
    }
    if (isExample(bytes)) {
      throw new AppError('invalid_request', `DAMASK_KEY is an example, which everybody knows. ${howTo}`);
    }
    return { key: createSecretKey(bytes), id: keyIdOf(bytes) };
  });
}

function decode(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  return /^[A-Za-z0-9+/_-]{42,43}={0,1}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

// 32 random bytes have 30 different values on average, and fewer than 16 once in more than 10^20 keys. Texts are typed by people.
function isExample(bytes: Buffer): boolean {
  const different = new Set(bytes).size;
  const steps = new Set(bytes.map((byte, at) => (byte - (bytes[at - 1] ?? 0)) & 0xff).subarray(1)).size;
  const typed = bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  return different < 16 || steps < 8 || typed;
}
