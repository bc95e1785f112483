import type { Clock } from '#platform/clock.ts';
import type { Cursors } from '#platform/cursor.ts';
import type { Database } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import type { Trail } from '#platform/trail.ts';
import type { RunParts } from '../run/run-parts.ts';
import type { SearchParts } from './subject-things.ts';

/** What the operations of privacy are built from. */
export interface PrivacyParts extends SearchParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly cursors: Cursors;
  readonly trail: Trail;
  readonly runs: RunParts;
  /** Brings this process's own table up to date. */
  readonly afterChange: () => Promise<void>;
  /** Says that there is something to be removed. */
  readonly wake: () => void;
}
