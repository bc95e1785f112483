import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/** Digest of what something is, for the audit log. Only for what no person can be guessed from: ids, roles, numbers, digests. */
export function digestOf(state: object): string {
  return `sha256:${hash('sha256', canonicalJson(state))}`;
}
