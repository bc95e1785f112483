import type { MissedTicks, TickOverlap, TimerSummary, TimerTick } from '@damask/contracts/timer.ts';
import type { Actor } from '#platform/call.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Started } from './timer-parts.ts';

/** A timer as it is stored; `run` is sealed, times are milliseconds since 1970. */
export interface TimerRow {
  readonly name: string;
  readonly cron: string;
  readonly time_zone: string;
  readonly missed: MissedTicks;
  readonly overlap: TickOverlap;
  readonly paused: boolean;
  readonly starts_at: number | null;
  readonly ends_at: number | null;
  readonly pattern: string;
  readonly run: Buffer;
  readonly actor_kind: Actor['kind'];
  readonly actor: string;
  readonly next_at: number | null;
  readonly updated_at: number;
}

/** A tick as it is stored. `at` is milliseconds since 1970. */
export interface TickRow {
  readonly at: number;
  readonly state: TimerTick['state'];
  readonly run: string | null;
  readonly batch: string | null;
  readonly error: TimerTick['error'];
}

const names = [
  ...['name', 'cron', 'time_zone', 'missed', 'overlap', 'paused', 'starts_at', 'ends_at', 'pattern', 'run'],
  ...['actor_kind', 'actor', 'next_at', 'updated_at'],
] as const;
const times: ReadonlySet<string> = new Set(['starts_at', 'ends_at', 'next_at', 'updated_at']);
const columns = names.map((name) => `t.${name}`).join(', ');

type Stored<Row> = { readonly [Name in keyof Row]: Row[Name] extends number | null ? Date | null : Row[Name] };
type StoredTick = Pick<TickRow, 'state' | 'run' | 'batch'> & { at: Date; fired_at: Date } & Failure;
interface Failure {
  readonly error_code: string | null;
  readonly error_detail: string | null;
}

/** The database's time in milliseconds since 1970: whether a tick is due is its to say. */
export async function readNow(transaction: Transaction): Promise<number> {
  const [row] = await transaction.query<{ now: Date }>('select clock_timestamp() as now');
  return (row as { now: Date }).now.getTime();
}

export async function countTimers(transaction: Transaction): Promise<number> {
  const [row] = await transaction.query<{ count: number }>('select count(*)::int as count from pattern.timer');
  return row?.count ?? 0;
}

export async function findTimer(transaction: Transaction, name: string): Promise<TimerRow | undefined> {
  const [row] = await transaction.query<Stored<TimerRow>>(`select ${columns} from pattern.timer as t where name = $1`, [
    name,
  ]);
  return row && readRow(row);
}

/** The timer, if it is still due at that time and nobody else is firing it. */
export async function lockDue(transaction: Transaction, name: string, due: number): Promise<TimerRow | undefined> {
  const [row] = await transaction.query<Stored<TimerRow>>(
    `select ${columns} from pattern.timer as t where name = $1 and next_at = $2 for update skip locked`,
    [name, new Date(due)],
  );
  return row && readRow(row);
}

/** Timers with their newest ticks, by name. */
export async function listTimers(
  transaction: Transaction,
  page: { readonly after: string | null; readonly limit: number; readonly name?: string },
): Promise<{ readonly timer: TimerRow; readonly last: TimerTick | null }[]> {
  const rows = await transaction.query<Stored<TimerRow> & { last: StoredTick | null }>(
    `select ${columns}, to_jsonb(tick) as last from pattern.timer as t
       left join lateral (select at, fired_at, state, run, batch, error_code, error_detail from pattern.timer_tick as k
          where k.workspace = t.workspace and k.timer = t.name order by at desc limit 1) as tick on true
      where ($1::text is null or t.name > $1) and ($3::text is null or t.name = $3) order by t.name limit $2`,
    [page.after, page.limit, page.name ?? null],
  );
  return rows.map(({ last, ...row }) => ({ timer: readRow(row), last: last && toTick(last) }));
}

/** Creates or replaces it. */
export async function putTimer(transaction: Transaction, workspace: string, row: TimerRow): Promise<void> {
  const changed = names.filter((name) => name !== 'name').map((name) => `${name} = excluded.${name}`);
  await transaction.query(
    `insert into pattern.timer (workspace, ${names.join(', ')})
     values ($1, ${names.map((_, at) => `$${at + 2}`).join(', ')})
     on conflict (workspace, name) do update set ${changed.join(', ')}`,
    [workspace, ...names.map((name) => (times.has(name) ? toDate(row[name] as number | null) : row[name]))],
  );
}

export async function moveTimer(transaction: Transaction, name: string, next: number | null): Promise<void> {
  await transaction.query('update pattern.timer set next_at = $2 where name = $1', [name, toDate(next)]);
}

export async function deleteTimer(transaction: Transaction, name: string): Promise<void> {
  await transaction.query('delete from pattern.timer where name = $1', [name]);
}

/** Keeps ticks. Answers those that nobody had kept before: only they may be fired. */
export async function addTicks(
  transaction: Transaction,
  workspace: string,
  timer: string,
  ticks: readonly TickRow[],
): Promise<Set<number>> {
  const rows = ticks.map(({ at, state, run, batch, error }) => ({
    at: new Date(at).toISOString(),
    state,
    run,
    batch,
    error_code: error?.code ?? null,
    error_detail: error?.detail ?? null,
  }));
  const added = await transaction.query<{ at: Date }>(
    `insert into pattern.timer_tick (workspace, timer, at, state, run, batch, error_code, error_detail)
     select $1, $2, * from json_to_recordset($3)
       as given(at timestamptz, state text, run uuid, batch uuid, error_code text, error_detail text)
     on conflict do nothing returning at`,
    [workspace, timer, JSON.stringify(rows)],
  );
  return new Set(added.map(({ at }) => at.getTime()));
}

/** What the timer started last, if anything. */
export async function findLastStarted(transaction: Transaction, timer: string): Promise<Started | undefined> {
  const [row] = await transaction.query<Started>(
    `select run, batch from pattern.timer_tick where timer = $1 and (run is not null or batch is not null)
      order by at desc limit 1`,
    [timer],
  );
  return row;
}

/** Whether a run has work left: it is queued, in hand, or waits. */
export async function hasTask(transaction: Transaction, run: string): Promise<boolean> {
  return (await transaction.query('select from pattern.task where id = $1', [run])).length > 0;
}

/** Ticks of a timer, newest first; `before` is RFC 3339. */
export async function listTicks(
  transaction: Transaction,
  timer: string,
  page: { readonly before: string | null; readonly limit: number },
): Promise<TimerTick[]> {
  const rows = await transaction.query<StoredTick>(
    `select at, fired_at, state, run, batch, error_code, error_detail from pattern.timer_tick
      where timer = $1 and ($2::timestamptz is null or at < $2) order by at desc limit $3`,
    [timer, page.before, page.limit],
  );
  return rows.map(toTick);
}

export interface DueTimer {
  readonly workspace: string;
  readonly name: string;
  readonly due: number;
}

/** Timers of all workspaces that are due, the longest due first, and the milliseconds until the next one is. */
export function listDue(
  database: Database,
  limit: number,
): Promise<{ readonly due: DueTimer[]; readonly nextMs: number | null }> {
  return database.transaction({ role: 'platform', workspace: null }, async (transaction) => {
    const rows = await transaction.query<{ workspace: string; name: string; next_at: Date }>(
      'select workspace, name, next_at from pattern.timer where next_at <= clock_timestamp() order by next_at limit $1',
      [limit],
    );
    const [next] = await transaction.query<{ ms: number | null }>(
      `select extract(epoch from min(next_at) - clock_timestamp())::float8 * 1000 as ms from pattern.timer
        where next_at > clock_timestamp()`,
    );
    const due = rows.map(({ workspace, name, next_at }) => ({ workspace, name, due: next_at.getTime() }));
    return { due, nextMs: next?.ms ?? null };
  });
}

/** Forgets ticks that were kept longer ago than `days`, across workspaces, `limit` at most. */
export async function forgetTicks(database: Database, days: number, limit: number): Promise<void> {
  await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query(
      `delete from pattern.timer_tick where (workspace, timer, at) in (select workspace, timer, at from pattern.timer_tick
          where fired_at < now() - make_interval(days => $1) order by fired_at limit $2)`,
      [days, limit],
    ),
  );
}

/** What lists show. */
export function toSummary(timer: TimerRow, last: TimerTick | null): TimerSummary {
  const { run: _, actor_kind: __, starts_at, ends_at, next_at, updated_at, ...same } = timer;
  return {
    ...same,
    starts_at: toText(starts_at),
    ends_at: toText(ends_at),
    next_at: toText(next_at),
    updated_at: toText(updated_at) as string,
    last,
  };
}

function toTick({ at, fired_at, error_code, error_detail, ...same }: StoredTick): TimerTick {
  return {
    ...same,
    at: new Date(at).toISOString(),
    fired_at: new Date(fired_at).toISOString(),
    error: error_code === null ? null : { code: error_code, detail: error_detail ?? '' },
  };
}

function readRow(row: Stored<TimerRow>): TimerRow {
  const { starts_at, ends_at, next_at, updated_at } = row;
  const read = (time: unknown) => (time as Date | null)?.getTime() ?? null;
  return {
    ...(row as unknown as TimerRow),
    starts_at: read(starts_at),
    ends_at: read(ends_at),
    next_at: read(next_at),
    updated_at: read(updated_at) as number,
  };
}

const toDate = (time: number | null) => (time === null ? null : new Date(time));
const toText = (time: number | null) => (time === null ? null : new Date(time).toISOString());
