import type { Budget } from '@damask/contracts/budget-operations.ts';
import type { Clock } from '#platform/clock.ts';
import type { Cursors } from '#platform/cursor.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import type { Trail } from '#platform/trail.ts';
import type { LibraryTable } from '../library/library-table.ts';
import type { UsedBudget } from './budget-store.ts';
import type { Budgets } from './budgets.ts';

export interface BudgetParts {
  readonly database: Database;
  readonly budgets: Budgets;
  readonly library: Pick<LibraryTable, 'find'>;
  readonly trail: Trail;
  readonly cursors: Cursors;
  readonly clock: Clock;
  readonly log: Log;
  /** Brings this process's own table up to date, so that the next run meets the limit. */
  readonly afterChange: () => Promise<void>;
}

/** A change in one transaction; this process's own table knows it when it returns. */
export async function changeBudgets<Result>(
  { database, afterChange, log }: BudgetParts,
  workspace: string,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const result = await database.transaction({ role: 'pattern', workspace }, work);
  await afterChange().catch((error: unknown) => log.warn('The table of budgets follows a change later', { error }));
  return result;
}

/** A budget as callers see it. */
export function toBudget(row: UsedBudget): Budget {
  const left = (limit: number | null, spent: number, held: number) =>
    limit === null ? null : Math.max(0, limit - spent - held);
  return {
    name: row.name,
    covers: row.covers,
    of: row.covered,
    period: row.period,
    limit_micros: row.limit_micros,
    limit_tokens: row.limit_tokens,
    spent_micros: row.spent_micros,
    spent_tokens: row.spent_tokens,
    reserved_micros: row.held_micros,
    reserved_tokens: row.held_tokens,
    left_micros: left(row.limit_micros, row.spent_micros, row.held_micros),
    left_tokens: left(row.limit_tokens, row.spent_tokens, row.held_tokens),
    currency: 'USD',
    period_start: row.start.toISOString(),
    resets_at: row.resets_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
