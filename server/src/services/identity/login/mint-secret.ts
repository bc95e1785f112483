import { hash, randomBytes } from 'node:crypto';

/** What a secret opens: a login session, a one-time link or an invitation. */
export type SecretKind = 'dms' | 'dml' | 'dmi';

/** 256 random bits. What is stored of them is their SHA-256: they hold enough randomness that no slow hash is needed. */
export function mintSecret(kind: SecretKind): { readonly secret: string; readonly hash: string } {
  const secret = `${kind}_${randomBytes(32).toString('base64url')}`;
  return { secret, hash: hashSecret(secret) };
}

/** SHA-256, base64. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64');
}
