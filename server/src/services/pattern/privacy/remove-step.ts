import type { Clock } from '#platform/clock.ts';
import type { Database, Transaction } from '#platform/database/database.ts';

/** What removing is built from. */
export interface KeeperParts {
  readonly database: Database;
  readonly clock: Clock;
}

/** Answers the place to go on from, or null when there is nothing more. */
export type RemoveStep = (transaction: Transaction, after: string | null) => Promise<string | null>;
