import type { Database, Transaction } from '#platform/database/database.ts';

/** A week of the journal: its name, and the ids that it holds. */
export interface JournalWeek {
  readonly week: string;
  readonly low: string;
  readonly high: string;
  /** Days since it was over. */
  readonly age: number;
}

/** Weeks that are over, oldest first. */
export function listWeeks(database: Database): Promise<JournalWeek[]> {
  return database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query<JournalWeek>(
      `select week, pattern.uuid_at(start) as low, pattern.uuid_at(start + interval '7 days') as high,
          extract(epoch from now() - start - interval '7 days')::float8 / 86400 as age
         from (select substr(c.relname, 10) as week, to_timestamp(substr(c.relname, 10), 'IYYY"w"IW')::timestamp at time zone 'utc' as start
           from pg_inherits as i join pg_class as c on c.oid = i.inhrelid
          where i.inhparent = 'pattern.finished'::regclass and c.relname ~ '^finished_\\d{4}w\\d{2}$') as weeks
        where start + interval '7 days' < now() order by week limit 2000`,
    ),
  );
}

/** Whether all in a week belongs to these workspaces and has ended. */
export function isPast(database: Database, { low, high }: JournalWeek, past: readonly string[]): Promise<boolean> {
  return database.transaction({ role: 'platform', workspace: null }, async (transaction) => {
    const [row] = await transaction.query<{ other: boolean }>(
      `select exists (select from pattern.accepted as a where id >= $1 and id < $2 and (workspace <> all($3::uuid[])
            or not exists (select from pattern.finished as f where f.workspace = a.workspace and f.id = a.id)))
          or exists (select from pattern.finished where id >= $1 and id < $2 and workspace <> all($3::uuid[])) as other`,
      [low, high, past],
    );
    return row?.other === false;
  });
}

/** Workspaces that have runs in a week. */
export function listWorkspaces(database: Database, { low, high }: JournalWeek): Promise<string[]> {
  return database.transaction({ role: 'platform', workspace: null }, async (transaction) => {
    const rows = await transaction.query<{ workspace: string }>(
      'select distinct workspace from pattern.finished where id >= $1 and id < $2 limit 100000',
      [low, high],
    );
    return rows.map(({ workspace }) => workspace);
  });
}

/** Removes what runs of a week have outside the journal, `limit` rows at a time. True once there is nothing more. */
export async function deleteBesides(
  transaction: Transaction,
  workspace: string,
  { low, high }: JournalWeek,
  limit: number,
): Promise<boolean> {
  const rows = await transaction.query(
    `delete from pattern.step where workspace = $1 and (run, path) in (select run, path from pattern.step
        where workspace = $1 and run >= $2 and run < $3 limit $4) returning 1`,
    [workspace, low, high, limit],
  );
  await transaction.query('delete from pattern.run_output where workspace = $1 and run >= $2 and run < $3', [
    workspace,
    low,
    high,
  ]);
  return rows.length < limit;
}

export interface DroppedRuns {
  readonly workspace: string;
  readonly runs: number;
  readonly oldest: Date;
  readonly newest: Date;
}

/** Drops a week of which all belongs to these workspaces; nothing happens where something else has come meanwhile. */
export async function dropWeek(
  transaction: Transaction,
  week: string,
  past: readonly string[],
): Promise<DroppedRuns[]> {
  const rows = await transaction.query<Omit<DroppedRuns, 'runs'> & { runs: string }>(
    'select workspace, runs::text, oldest, newest from pattern.drop_week($1, $2::uuid[])',
    [week, past],
  );
  return rows.map((row) => ({ ...row, runs: Number(row.runs) }));
}

/** The drop and what is told of it are one commit, so it goes from one workspace to the next. */
export async function enterWorkspace(transaction: Transaction, workspace: string): Promise<void> {
  await transaction.query(`select set_config('damask.workspace', $1, true)`, [workspace]);
}
