import { createHmac, hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { Vault } from './vault.ts';

/** Digest of what something is, for the audit log. Only for what no person can be guessed from: ids, roles, numbers, digests. */
export function digestOf(state: object): string {
  return `sha256:${hash('sha256', canonicalJson(state))}`;
}

/** The same under a key of the workspace, for texts of people: nobody else can try texts until one fits. Needs `ready` first. */
export function keyedDigestOf(vault: Pick<Vault, 'hmacKey'>, workspace: string, state: object): string {
  const mac = createHmac('sha256', vault.hmacKey(workspace, 'audit')).update(canonicalJson(state));
  return `hmac-sha256:${mac.digest('hex')}`;
}
