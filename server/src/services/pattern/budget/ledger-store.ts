import type { Transaction } from '#platform/database/database.ts';

/** A period of a budget as its transaction found and locked it. */
export interface PeriodRow {
  readonly budget: string;
  readonly name: string;
  /** `2026-11-23` */
  readonly start: string;
  readonly resets_at: Date;
  /** Seconds until the period of this moment ends; of a period that is over: below 0. */
  readonly seconds_left: number;
  readonly limit_micros: number | null;
  readonly limit_tokens: number | null;
  readonly spent_micros: number;
  readonly spent_tokens: number;
  readonly told: number;
  /** What other processes hold. */
  readonly others_micros: number;
  readonly others_tokens: number;
  /** Of this process's own lease; null: there is none, or others took it over. */
  readonly epoch: string | null;
}

/** A call under way, as it is kept. */
export interface HoldRow {
  readonly id: string;
  readonly run: string;
  readonly queued: boolean;
  readonly micros: number;
  readonly tokens: number;
  readonly budgets: readonly string[];
  readonly starts: readonly string[];
}

/** Begins the periods that run now, for the budgets that there still are. Answers which period each is in. */
export async function beginPeriods(
  transaction: Transaction,
  workspace: string,
  budgets: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await transaction.query<{ budget: string; start: string }>(
    `with wanted as (
       select b.id, date_trunc(b.period, now() at time zone 'UTC')::date as start
         from pattern.budget as b where b.workspace = $1 and b.id = any($2::uuid[])
     ), begun as (
       insert into pattern.budget_period (workspace, budget, start) select $1, id, start from wanted
       on conflict do nothing
     ) select id as budget, start::text from wanted`,
    [workspace, budgets],
  );
  return new Map(rows.map(({ budget, start }) => [budget, start]));
}

export interface PeriodName {
  readonly budget: string;
  readonly start: string;
}

// Whoever is frozen while it has the lock must not keep the runs of all other processes from being reserved for long.
const frozenAfter = '3s';

/** Locks periods, always in the same order, and reads them with what processes hold of them. */
export async function lockPeriods(
  transaction: Transaction,
  workspace: string,
  process: string,
  names: readonly PeriodName[],
): Promise<{ readonly periods: readonly PeriodRow[]; readonly transaction: string }> {
  const budgets = names.map(({ budget }) => budget);
  const starts = names.map(({ start }) => start);
  // The lock in a statement of its own: a later one sees what those wrote who had it before.
  const [own] = await transaction.query<{ id: string }>(
    `select pg_current_xact_id()::text as id, set_config('idle_in_transaction_session_timeout', '${frozenAfter}', true), (
       select count(*) from (
         select from pattern.budget_period
          where workspace = $1 and (budget, start) in (select * from unnest($2::uuid[], $3::date[]))
          order by budget, start for update
       ) as locked)`,
    [workspace, budgets, starts],
  );
  const periods = await transaction.query<PeriodRow>(
    `select p.budget, b.name, p.start::text, b.limit_micros, b.limit_tokens, p.spent_micros, p.spent_tokens, p.told,
            e.ends at time zone 'UTC' as resets_at,
            extract(epoch from e.ends at time zone 'UTC' - now())::float8 as seconds_left,
            coalesce(o.micros, 0) as others_micros, coalesce(o.tokens, 0) as others_tokens, m.epoch
       from pattern.budget_period as p
       join pattern.budget as b on b.workspace = p.workspace and b.id = p.budget
       cross join lateral (
         select p.start + case b.period when 'day' then interval '1 day' else interval '1 month' end as ends) as e
       left join pattern.budget_lease as m
         on m.workspace = p.workspace and m.budget = p.budget and m.start = p.start and m.process = $4
       left join lateral (
         select sum(micros) as micros, sum(tokens) as tokens from pattern.budget_lease as l
          where l.workspace = p.workspace and l.budget = p.budget and l.start = p.start and l.process <> $4) as o on true
      where p.workspace = $1 and (p.budget, p.start) in (select * from unnest($2::uuid[], $3::date[]))
      order by p.budget, p.start`,
    [workspace, budgets, starts, process],
  );
  return { periods: periods.map(readNumbers), transaction: own?.id ?? '' };
}

function readNumbers(row: PeriodRow): PeriodRow {
  return {
    ...row,
    limit_micros: row.limit_micros === null ? null : Number(row.limit_micros),
    limit_tokens: row.limit_tokens === null ? null : Number(row.limit_tokens),
    spent_micros: Number(row.spent_micros),
    spent_tokens: Number(row.spent_tokens),
    others_micros: Number(row.others_micros),
    others_tokens: Number(row.others_tokens),
  };
}

/** Whether a transaction whose commit was not heard of was committed; null: it is still under way. */
export async function wasCommitted(transaction: Transaction, id: string): Promise<boolean | null> {
  const [row] = await transaction.query<{ status: string | null }>('select pg_xact_status($1::text::xid8) as status', [
    id,
  ]);
  if (row?.status === 'in progress') return null;
  return row?.status === 'committed';
}

export async function insertHolds(
  transaction: Transaction,
  workspace: string,
  process: string,
  holds: readonly HoldRow[],
): Promise<void> {
  if (holds.length === 0) return;
  await transaction.query(
    `insert into pattern.budget_hold (workspace, id, process, run, queued, micros, tokens, budgets, starts)
     select $1, id, $2, run, queued, micros, tokens, budgets, starts from json_to_recordset($3) as given(
       id uuid, run uuid, queued boolean, micros bigint, tokens bigint, budgets uuid[], starts date[])
     on conflict do nothing`,
    [workspace, process, JSON.stringify(holds)],
  );
}

/** Answers which of them there were: nobody else charges these. */
export async function removeHolds(
  transaction: Transaction,
  workspace: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await transaction.query<{ id: string }>(
    'delete from pattern.budget_hold where workspace = $1 and id = any($2::uuid[]) returning id',
    [workspace, ids],
  );
  return new Set(rows.map(({ id }) => id));
}

export interface LeaseRow extends PeriodName {
  readonly epoch: string;
  readonly micros: number;
  readonly tokens: number;
}

/** Writes what this process holds, whatever it held before; what holds nothing is gone. */
export async function saveLeases(
  transaction: Transaction,
  workspace: string,
  process: string,
  leases: readonly LeaseRow[],
): Promise<void> {
  if (leases.length === 0) return;
  await transaction.query(
    `with given as (
       select * from json_to_recordset($3) as g(budget uuid, start date, epoch uuid, micros bigint, tokens bigint)
     ), gone as (
       delete from pattern.budget_lease as l using given as g
        where l.workspace = $1 and l.process = $2 and l.budget = g.budget and l.start = g.start
          and g.micros = 0 and g.tokens = 0
     )
     insert into pattern.budget_lease (workspace, budget, start, process, epoch, micros, tokens)
     select $1, budget, start, $2, epoch, micros, tokens from given where micros > 0 or tokens > 0
     on conflict (workspace, budget, start, process) do update
       set epoch = excluded.epoch, micros = excluded.micros, tokens = excluded.tokens`,
    [workspace, process, JSON.stringify(leases)],
  );
}

export interface SpentRow extends PeriodName {
  readonly micros: number;
  readonly tokens: number;
  readonly told: number;
}

/** Adds what was spent. */
export async function addSpent(transaction: Transaction, workspace: string, spent: readonly SpentRow[]): Promise<void> {
  if (spent.length === 0) return;
  await transaction.query(
    `update pattern.budget_period as p
        set spent_micros = p.spent_micros + g.micros, spent_tokens = p.spent_tokens + g.tokens, told = g.told
       from json_to_recordset($2) as g(budget uuid, start date, micros bigint, tokens bigint, told smallint)
      where p.workspace = $1 and p.budget = g.budget and p.start = g.start`,
    [workspace, JSON.stringify(spent)],
  );
}
