import type { Database, Transaction } from '#platform/database/database.ts';
import { becomeKeeper } from './privacy-store.ts';

/** A step of removing in one workspace, alone in the cluster; `busy` while another process has a step in hand. */
export function removeIn<Result>(
  database: Database,
  workspace: string | null,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result | 'busy'> {
  return database.transaction({ role: 'keeper', workspace }, async (transaction) =>
    (await becomeKeeper(transaction)) ? work(transaction) : 'busy',
  );
}

/** A run that is old enough for a rule. */
export interface OldRun {
  readonly id: string;
  readonly accepted_at: Date;
  readonly pattern: string;
  readonly subject: string | null;
  /** Empty: none. */
  readonly environment: string;
  readonly data_class: string;
  /** Its texts are there. */
  readonly stored: boolean;
}

/** Where a rule has got to; looked through anew after a day. */
export async function readProgress(transaction: Transaction, workspace: string, rule: string): Promise<string | null> {
  await transaction.query(
    `delete from pattern.retention_progress where workspace = $1 and rule = $2 and begun_at < now() - interval '1 day'`,
    [workspace, rule],
  );
  const [row] = await transaction.query<{ through: string }>(
    'select through from pattern.retention_progress where workspace = $1 and rule = $2',
    [workspace, rule],
  );
  return row?.through ?? null;
}

export async function saveProgress(
  transaction: Transaction,
  workspace: string,
  rule: string,
  through: string,
): Promise<void> {
  await transaction.query(
    `insert into pattern.retention_progress (workspace, rule, through) values ($1, $2, $3)
     on conflict (workspace, rule) do update set through = excluded.through`,
    [workspace, rule, through],
  );
}

/** Ended runs that were accepted more than `days` ago, after one of them, in their order. */
export function listOldRuns(
  transaction: Transaction,
  workspace: string,
  { after, days, limit }: { readonly after: string | null; readonly days: number; readonly limit: number },
): Promise<OldRun[]> {
  // Said once more beside the policies, which the planner does not take for conditions of an index.
  return transaction.query<OldRun>(
    `select id, accepted_at, pattern, subject, coalesce(environment, '') as environment,
        coalesce(data_class, 'internal') as data_class, payload is not null as stored from pattern.finished
      where workspace = $1 and ($2::uuid is null or id > $2) and id < pattern.uuid_at(now() - make_interval(days => $3))
      order by id limit $4`,
    [workspace, after, days, limit],
  );
}

/** Takes the texts of runs away, of their steps too. Their records stay. Answers how many steps had texts. */
export async function shredTexts(transaction: Transaction, workspace: string, runs: readonly string[]): Promise<void> {
  await transaction.query(
    `update pattern.finished set payload = null, error_detail = null, texts = coalesce(texts, 'expired')
      where workspace = $1 and id = any($2::uuid[])`,
    [workspace, runs],
  );
  await shredSteps(transaction, workspace, runs);
}

/** Texts of steps, and of what was being said. */
export async function shredSteps(
  transaction: Transaction,
  workspace: string,
  runs: readonly string[],
): Promise<{ readonly steps: number; readonly pieces: number }> {
  const steps = await transaction.query(
    `update pattern.step set payload = null, comment = null, error_detail = null
      where workspace = $1 and run = any($2::uuid[]) and (payload is not null or comment is not null or error_detail is not null)
      returning 1`,
    [workspace, runs],
  );
  const pieces = await transaction.query(
    'delete from pattern.run_output where workspace = $1 and run = any($2::uuid[]) returning 1',
    [workspace, runs],
  );
  return { steps: steps.length, pieces: pieces.length };
}

/** Removes runs with all that belongs to them. */
export async function deleteRuns(transaction: Transaction, workspace: string, runs: readonly string[]): Promise<void> {
  for (const table of ['step', 'run_output', 'run_signal']) {
    await transaction.query(`delete from pattern.${table} where workspace = $1 and run = any($2::uuid[])`, [
      workspace,
      runs,
    ]);
  }
  for (const table of ['accepted', 'finished']) {
    await transaction.query(`delete from pattern.${table} where workspace = $1 and id = any($2::uuid[])`, [
      workspace,
      runs,
    ]);
  }
}

export interface OldBatch {
  readonly id: string;
  readonly pattern: string;
  readonly environment: string;
  readonly data_class: string;
  readonly created_at: Date;
  readonly finished_at: Date;
}

/** Batches that ended more than `days` ago, after one of them. */
export function listOldBatches(
  transaction: Transaction,
  workspace: string,
  { after, days, limit }: { readonly after: string | null; readonly days: number; readonly limit: number },
): Promise<OldBatch[]> {
  return transaction.query<OldBatch>(
    `select id, pattern, coalesce(settings->>'environment', '') as environment,
        coalesce(settings->>'data_class', 'internal') as data_class, created_at, finished_at from pattern.batch
      where workspace = $1 and finished_at < now() - make_interval(days => $3) and ($2::uuid is null or id > $2)
      order by id limit $4`,
    [workspace, after, days, limit],
  );
}

/** Whether lines of a batch name one of these subjects, or might. */
export async function batchNames(
  transaction: Transaction,
  workspace: string,
  batch: string,
  subjects: readonly string[],
): Promise<boolean> {
  const [row] = await transaction.query<{ named: boolean }>(
    `select exists (select from pattern.batch_chunk where workspace = $1 and batch = $2 and subjects)
        or exists (select from pattern.batch_line as l join pattern.finished as f on f.workspace = l.workspace and f.id = l.run
          where l.workspace = $1 and l.batch = $2 and f.workspace = $1 and f.subject = any($3::text[])) as named`,
    [workspace, batch, subjects],
  );
  return row?.named === true;
}

/** Removes a batch, `limit` lines at a time. True once it is gone. */
export async function deleteBatchPart(
  transaction: Transaction,
  workspace: string,
  batch: string,
  limit: number,
): Promise<boolean> {
  // A chunk holds a quarter of a megabyte.
  for (const [table, place, most] of [
    ['batch_line', 'line', limit],
    ['batch_chunk', 'first_line', limit / 50],
    ['batch_rejected', 'first_line', limit / 50],
  ] as const) {
    const rows = await transaction.query(
      `delete from pattern.${table} where workspace = $1 and batch = $2 and ${place} in (select ${place} from pattern.${table}
          where workspace = $1 and batch = $2 order by ${place} limit $3) returning 1`,
      [workspace, batch, most],
    );
    if (rows.length === most) return false;
  }
  await transaction.query('delete from pattern.batch where workspace = $1 and id = $2', [workspace, batch]);
  return true;
}

export interface OldSession {
  readonly id: string;
  readonly name: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** Sessions in which nothing was said for `days`, and nothing is being said, after one of them. */
export function listOldSessions(
  transaction: Transaction,
  workspace: string,
  { after, days, limit }: { readonly after: string | null; readonly days: number; readonly limit: number },
): Promise<OldSession[]> {
  return transaction.query<OldSession>(
    `select id, name, created_at, updated_at from pattern.session
      where workspace = $1 and updated_at < now() - make_interval(days => $3) and claim is null
        and ($2::uuid is null or id > $2) order by id limit $4`,
    [workspace, after, days, limit],
  );
}

/** The runs that said something in a session, as far as their records are there. */
export function listSessionRuns(
  transaction: Transaction,
  workspace: string,
  session: string,
): Promise<Pick<OldRun, 'pattern' | 'subject' | 'accepted_at'>[]> {
  return transaction.query(
    `select distinct f.pattern, f.subject, f.accepted_at from pattern.turn as t
       join pattern.finished as f on f.workspace = t.workspace and f.id = t.run
      where t.workspace = $1 and t.session = $2 and f.workspace = $1 limit 10000`,
    [workspace, session],
  );
}

/** Removes a session with its turns, unless somebody has gone on with it. */
export async function deleteOldSession(
  transaction: Transaction,
  workspace: string,
  { id, updated_at }: OldSession,
): Promise<boolean> {
  const rows = await transaction.query(
    `delete from pattern.session where workspace = $1 and id = $2 and claim is null
        and date_trunc('milliseconds', updated_at) = $3 returning 1`,
    [workspace, id, updated_at],
  );
  return rows.length > 0;
}

/** Removes ticks that were fired more than `days` ago, but for those of a period that is held. Answers when they were fired. */
export async function deleteOldTicks(
  transaction: Transaction,
  workspace: string,
  {
    days,
    limit,
    held,
  }: {
    readonly days: number;
    readonly limit: number;
    readonly held: readonly { readonly since: Date | null; readonly until: Date | null }[];
  },
): Promise<Date[]> {
  const rows = await transaction.query<{ fired_at: Date }>(
    `delete from pattern.timer_tick where workspace = $1 and (timer, at) in (select timer, at from pattern.timer_tick as k
        where workspace = $1 and fired_at < now() - make_interval(days => $2)
          and not exists (select from json_to_recordset($4) as h(since timestamptz, until timestamptz)
            where (h.since is null or k.fired_at >= h.since) and (h.until is null or k.fired_at < h.until))
        order by fired_at limit $3) returning fired_at`,
    [workspace, days, limit, JSON.stringify(held)],
  );
  return rows.map(({ fired_at }) => fired_at);
}
