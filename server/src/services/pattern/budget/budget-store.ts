import type { BudgetCovers, BudgetPeriod } from '@damask/contracts/budget-operations.ts';
import type { Database, Transaction } from '#platform/database/database.ts';

/** A row of `pattern.budget`. Limits are millionths of a US dollar, and tokens. */
export interface BudgetRow {
  readonly workspace: string;
  readonly id: string;
  readonly name: string;
  readonly covers: BudgetCovers;
  readonly covered: string | null;
  readonly period: BudgetPeriod;
  readonly limit_micros: number | null;
  readonly limit_tokens: number | null;
  readonly updated_at: Date;
  /** Another one after each change. */
  readonly revision: string;
}

/** A budget with how far it is used in the period that runs. */
export interface UsedBudget extends BudgetRow {
  readonly spent_micros: number;
  readonly spent_tokens: number;
  readonly held_micros: number;
  readonly held_tokens: number;
  readonly start: Date;
  readonly resets_at: Date;
}

const columns = `b.workspace, b.id, b.name, b.covers, b.covered, b.period, b.limit_micros, b.limit_tokens, b.updated_at,
  b.xmin::text as revision`;
/** By the database's clock; a date without a zone, as periods begin. */
const startOf = "date_trunc(b.period, now() at time zone 'UTC')";
const endOf = `(${startOf} + case b.period when 'day' then interval '1 day' else interval '1 month' end)`;

/** The driver gives bigints as text. */
function readRow<Row extends BudgetRow>(row: Row): Row {
  const numbers: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    if (/_(micros|tokens)$/.test(name) && value !== null) numbers[name] = Number(value);
  }
  return { ...row, ...numbers };
}

/** All budgets of all workspaces, for the table in memory. */
export async function loadBudgets(database: Database): Promise<BudgetRow[]> {
  const rows = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query<BudgetRow>(`select ${columns} from pattern.budget as b order by workspace, name limit 100000`),
  );
  return rows.map(readRow);
}

const used = `select ${columns}, coalesce(p.spent_micros, 0) as spent_micros, coalesce(p.spent_tokens, 0) as spent_tokens,
    coalesce(l.held_micros, 0) as held_micros, coalesce(l.held_tokens, 0) as held_tokens,
    ${startOf} at time zone 'UTC' as start, ${endOf} at time zone 'UTC' as resets_at
  from pattern.budget as b
  left join pattern.budget_period as p
    on p.workspace = b.workspace and p.budget = b.id and p.start = ${startOf}::date
  left join lateral (
    select sum(micros) as held_micros, sum(tokens) as held_tokens from pattern.budget_lease as l
     where l.workspace = b.workspace and l.budget = b.id and l.start = p.start
  ) as l on true`;

/** By name. */
export async function listBudgets(
  transaction: Transaction,
  page: { readonly after: string | null; readonly limit: number },
): Promise<UsedBudget[]> {
  const rows = await transaction.query<UsedBudget>(
    `${used} where $1::text is null or b.name > $1 order by b.name limit $2`,
    [page.after, page.limit],
  );
  return rows.map(readRow);
}

export async function readBudget(transaction: Transaction, name: string): Promise<UsedBudget | undefined> {
  const rows = await transaction.query<UsedBudget>(`${used} where b.name = $1`, [name]);
  return rows.map(readRow)[0];
}

/** Nobody else changes budgets of the workspace until the transaction ends: their number is bounded. */
export async function lockBudgets(transaction: Transaction, workspace: string, most: number): Promise<number> {
  await transaction.query("select pg_advisory_xact_lock(hashtextextended('damask budgets ' || $1, 0))", [workspace]);
  const [row] = await transaction.query<{ count: number }>(
    'select count(*)::int as count from (select from pattern.budget limit $1) as counted',
    [most],
  );
  return row?.count ?? 0;
}

export type NewBudget = Omit<BudgetRow, 'updated_at' | 'revision'>;

export async function saveBudget(transaction: Transaction, row: NewBudget): Promise<void> {
  await transaction.query(
    `insert into pattern.budget (workspace, id, name, covers, covered, period, limit_micros, limit_tokens)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (workspace, id) do update
       set limit_micros = excluded.limit_micros, limit_tokens = excluded.limit_tokens, updated_at = now()`,
    [row.workspace, row.id, row.name, row.covers, row.covered, row.period, row.limit_micros, row.limit_tokens],
  );
}

export async function deleteBudget(transaction: Transaction, name: string): Promise<void> {
  await transaction.query('delete from pattern.budget where name = $1', [name]);
}
