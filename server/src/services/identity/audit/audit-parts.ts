import type { Clock } from '#platform/clock.ts';
import type { Cursors } from '#platform/cursor.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Trail } from '#platform/trail.ts';
import type { AuditKeys } from './audit-keys.ts';

/** What the operations of the audit log are built from. */
export interface AuditParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly cursors: Cursors;
  readonly trail: Trail;
  /** Services whose audit tables go into the chain. */
  readonly auditSources: readonly string[];
  /** Public halves of the keys that sign checkpoints. */
  readonly auditKeys: Pick<AuditKeys, 'list'>;
}

/** The sequencer's own transactions: over all workspaces. */
export function asPlatform<Result>(
  { database }: Pick<AuditParts, 'database'>,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  return database.transaction({ role: 'platform', workspace: null }, work);
}

/** Taken until the transaction ends; false when another process has it. */
export async function tryLock(transaction: Transaction, name: 'seal' | 'sign'): Promise<boolean> {
  const [row] = await transaction.query<{ taken: boolean }>(
    'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as taken',
    [`damask audit ${name}`],
  );
  return row?.taken === true;
}
