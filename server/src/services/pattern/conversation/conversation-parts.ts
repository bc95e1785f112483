import type { Clock } from '#platform/clock.ts';
import type { Cursors } from '#platform/cursor.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import type { Trail } from '#platform/trail.ts';
import type { Vault } from '#platform/vault.ts';

/** What contexts and sessions are built from. */
export interface ConversationParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly cursors: Cursors;
  readonly trail: Trail;
  readonly vault: Vault;
  readonly registry: Pick<ProcessRegistry, 'id' | 'isGone'>;
  /** Brings what this process holds of contexts up to date. */
  readonly afterChange: () => Promise<void>;
}

/** The topic whose version moves with every change of a context. */
export const contextTopic = 'pattern.context';

/** A transaction that sees the caller's workspace. */
export function inWorkspace<Result>(
  { database }: Pick<ConversationParts, 'database'>,
  workspace: string,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  return database.transaction({ role: 'pattern', workspace }, work);
}
