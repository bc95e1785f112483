import { randomBytes } from 'node:crypto';
import { hashApiKey, keyPrefix, newApiKey } from '#platform/api-key.ts';

export interface MintedKey {
  readonly secret: string;
  readonly hash: string;
  readonly prefix: string;
}

/** A new key and what is stored of it. */
export function mintKey(): MintedKey {
  const secret = newApiKey(randomBytes);
  return { secret, hash: hashApiKey(secret), prefix: keyPrefix(secret) };
}
