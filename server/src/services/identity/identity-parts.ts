import type { Clock } from '#platform/clock.ts';
import type { KeyRing } from '#platform/crypto/wrapping-key.ts';
import type { Cursors } from '#platform/cursor.ts';
import type { Database } from '#platform/database/database.ts';
import type { Egress } from '#platform/egress/egress.ts';
import type { Log } from '#platform/log.ts';
import type { Trail } from '#platform/trail.ts';
import type { Vault } from '#platform/vault.ts';
import type { AuditKeys } from './audit/audit-keys.ts';
import type { LoginLimits } from './login/login-parts.ts';

/** What the operations of this service are built from. */
export interface IdentityParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly cursors: Cursors;
  readonly trail: Trail;
  readonly vault: Vault;
  readonly keys: KeyRing;
  readonly egress: Egress;
  /** Where people reach this installation, without a slash at the end; null when nobody said. */
  readonly publicUrl: string | null;
  /** Live keys that one workspace may have: the edge holds all of them in memory. */
  readonly keyLimit: number;
  readonly loginLimits: LoginLimits;
  /** Services whose audit tables go into the chain. */
  readonly auditSources: readonly string[];
  readonly auditKeys: AuditKeys;
}

/** The topic whose version moves with every key that is made or revoked. */
export const keysTopic = 'identity.keys';
/** The topic whose version moves with members, their teams, roles and service accounts. */
export const membersTopic = 'identity.members';
/** The topic whose version moves with identity providers. */
export const providersTopic = 'identity.providers';
