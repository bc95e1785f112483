import type { Attempt } from '@damask/contracts/run.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { HoldRow, PeriodName } from './ledger-store.ts';

export interface Holder {
  readonly workspace: string;
  readonly process: string;
}

/** Processes that hold anything of any budget. */
export function listHolders(database: Database, most: number): Promise<Holder[]> {
  return database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query<Holder>(
      `select workspace, process from pattern.budget_lease
       union select workspace, process from pattern.budget_hold limit $1`,
      [most],
    ),
  );
}

/** Periods of which a process holds something. */
export async function listHeld(transaction: Transaction, { workspace, process }: Holder): Promise<PeriodName[]> {
  return transaction.query<PeriodName>(
    `select budget, start::text from pattern.budget_lease where workspace = $1 and process = $2
     union select h.budget, h.start::text
       from pattern.budget_hold as b, unnest(b.budgets, b.starts) as h(budget, start)
      where b.workspace = $1 and b.process = $2`,
    [workspace, process],
  );
}

export interface OpenHold extends HoldRow {
  /** The end of its run; null: there is none. */
  readonly attempts: readonly Attempt[] | null;
  readonly cost_micros: number | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
}

/** Takes all that a process held: its calls under way, with the ends of their runs, and what it had ready. */
export async function takeHeld(transaction: Transaction, { workspace, process }: Holder): Promise<OpenHold[]> {
  await transaction.query('delete from pattern.budget_lease where workspace = $1 and process = $2', [
    workspace,
    process,
  ]);
  const rows = await transaction.query<OpenHold>(
    `with gone as (
       delete from pattern.budget_hold where workspace = $1 and process = $2
       returning id, run, queued, micros, tokens, budgets, starts::text[] as starts
     )
     select g.*, f.attempts, f.cost_micros, f.input_tokens, f.output_tokens
       from gone as g left join pattern.finished as f on f.workspace = $1 and f.id = g.run and not g.queued`,
    [workspace, process],
  );
  return rows.map((row) => ({
    ...row,
    micros: Number(row.micros),
    tokens: Number(row.tokens),
    cost_micros: row.cost_micros === null ? null : Number(row.cost_micros),
  }));
}
