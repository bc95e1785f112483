import type { Clock } from '#platform/clock.ts';
import type { Cursors } from '#platform/cursor.ts';
import type { Database } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import type { Trail } from '#platform/trail.ts';

/** What the operations of this service are built from. */
export interface IdentityParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly cursors: Cursors;
  readonly trail: Trail;
  /** Live keys that one workspace may have: the edge holds all of them in memory. */
  readonly keyLimit: number;
}

/** The topic whose version moves with every key that is made or revoked. */
export const keysTopic = 'identity.keys';
