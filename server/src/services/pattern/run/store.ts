import type { RunStatus } from '@damask/contracts/run.ts';
import type pg from 'pg';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { AcceptedRow, FinishedRow, JournalRow } from './record.ts';
import { acceptedColumns, finishedColumns, packBytes } from './record-columns.ts';

const { names: acceptedNames, typed: acceptedTyped } = acceptedColumns;
const { names: finishedNames, typed: finishedTyped } = finishedColumns;

const acceptRows = (rows: number) => `insert into pattern.accepted (${acceptedNames})
  select * from json_to_recordset($${rows}) as given(${acceptedTyped}) on conflict do nothing`;
const insertFinished = (
  rows: number,
  payloads = rows + 1,
  starts = rows + 2,
  sizes = rows + 3,
) => `insert into pattern.finished (${finishedNames}, payload)
  select ${finishedNames}, substring($${payloads}::bytea from starts for size)
  from rows from (json_to_recordset($${rows}) as (${finishedTyped}), unnest($${starts}::int[], $${sizes}::int[]))
    as given(${finishedNames}, starts, size)
  on conflict do nothing`;

const onlyAccepted = { name: 'journal_accepted', text: acceptRows(1) };
const onlyFinished = { name: 'journal_finished', text: insertFinished(1) };
const both = { name: 'journal_both', text: `with accepted as (${acceptRows(1)}) ${insertFinished(2)}` };

/** One commit for the whole group. A repeated row changes nothing: the first one stands. */
export async function writeGroup(client: pg.Client, group: readonly JournalRow[]): Promise<void> {
  const accepted: AcceptedRow[] = [];
  const finished: FinishedRow[] = [];
  const payloads: (Buffer | null)[] = [];
  for (const entry of group) {
    if (entry.kind === 'accepted') {
      accepted.push(entry.row);
      continue;
    }
    finished.push(entry.row);
    payloads.push(entry.payload);
  }
  const { bytes, starts, sizes } = packBytes(payloads);
  const ends = [JSON.stringify(finished), bytes, starts, sizes];
  if (finished.length === 0) await client.query({ ...onlyAccepted, values: [JSON.stringify(accepted)] });
  else if (accepted.length === 0) await client.query({ ...onlyFinished, values: ends });
  else await client.query({ ...both, values: [JSON.stringify(accepted), ...ends] });
}

/** Acceptances in a transaction of their workspace. */
export async function insertAccepted(transaction: Transaction, rows: readonly AcceptedRow[]): Promise<void> {
  await transaction.query(acceptRows(1), [JSON.stringify(rows)]);
}

/** Sets a row aside that the tables refuse; its texts stay out. An end without them is put in its place: no run stays open. */
export async function quarantineRow(client: pg.Client, { kind, row }: JournalRow, reason: string): Promise<void> {
  await client.query('insert into pattern.quarantined (workspace, run, reason, digest) values ($1, $2, $3, $4)', [
    row.workspace,
    row.id,
    reason.slice(0, 500),
    row.digest,
  ]);
  if (kind !== 'finished') return;
  const end: FinishedRow = {
    ...row,
    status: 'failed',
    metadata: {},
    stop_reason: null,
    error_code: 'unrecorded',
    error_detail: 'The record of this run could not be written and was set aside for the operator.',
  };
  await writeGroup(client, [{ kind: 'finished', row: end, payload: null, bytes: 0 }]);
}

export interface RunFilter {
  readonly pattern?: string;
  /** Only these are in the caller's reach. */
  readonly patterns?: readonly string[];
  readonly environments?: readonly string[];
  readonly status?: RunStatus;
  readonly model?: string;
  /** As the column holds it. */
  readonly subject?: string;
  /** Name of a check that found something. */
  readonly flag?: string;
  /** Any check did. */
  readonly flagged?: boolean;
  readonly rerunOf?: string;
  readonly batch?: string;
  /** Only runs that were given up. */
  readonly dead?: boolean;
  readonly metadata?: readonly Readonly<Record<string, string>>[];
  readonly since?: string;
  readonly until?: string;
  /** Only ids below this one: where the page before ended. */
  readonly before?: string;
  readonly limit: number;
}

/** Conditions of a list, after a first one. `of` names the table where there are several: `a.` */
export function conditions(filter: RunFilter, values: unknown[], of = ''): string {
  const add = (value: unknown) => `$${values.push(value)}`;
  const parts: string[] = [];
  if (filter.pattern !== undefined) parts.push(`${of}pattern = ${add(filter.pattern)}`);
  if (filter.patterns !== undefined) parts.push(`${of}pattern = any(${add(filter.patterns)}::text[])`);
  if (filter.environments !== undefined) parts.push(`${of}environment = any(${add(filter.environments)}::text[])`);
  if (filter.model !== undefined) parts.push(`${of}model = ${add(filter.model)}`);
  if (filter.subject !== undefined) parts.push(`${of}subject = ${add(filter.subject)}`);
  if (filter.rerunOf !== undefined) parts.push(`${of}rerun_of = ${add(filter.rerunOf)}::uuid`);
  // A run of a batch is younger than the batch: older partitions are skipped.
  if (filter.batch !== undefined) {
    const batch = add(filter.batch);
    parts.push(`${of}batch = ${batch}::uuid and ${of}id > ${batch}::uuid`);
  }
  for (const pair of filter.metadata ?? []) parts.push(`${of}metadata @> ${add(JSON.stringify(pair))}::jsonb`);
  if (filter.before !== undefined) parts.push(`${of}id < ${add(filter.before)}::uuid`);
  // Bounds on the id let the planner skip partitions; the time itself is exact.
  if (filter.since !== undefined) parts.push(`${of}id >= pattern.uuid_at(${add(filter.since)}::timestamptz)`);
  if (filter.until !== undefined) parts.push(`${of}id < pattern.uuid_at(${add(filter.until)}::timestamptz)`);
  return parts.map((part) => ` and ${part}`).join('');
}

export async function listFinished(transaction: Transaction, filter: RunFilter): Promise<FinishedRow[]> {
  const values: unknown[] = [];
  const where = conditions(filter, values);
  const status = filter.status === undefined ? '' : ` and status = $${values.push(filter.status)}`;
  const dead = filter.dead ? ` and error_code = 'gave_up'` : '';
  const named = filter.flag === undefined ? undefined : JSON.stringify([{ check: filter.flag }]);
  const flag = named === undefined ? '' : ` and flags @> $${values.push(named)}::jsonb`;
  const flagged = filter.flagged ? ' and flags is not null' : '';
  const rows = await transaction.query<FinishedRow>(
    `select ${finishedNames} from pattern.finished where true${where}${status}${dead}${flag}${flagged} order by id desc limit $${values.push(filter.limit)}`,
    values,
  );
  return rows.map(readRow);
}

/** Id of the last ended run that a page of `limit` holds; undefined when they do not fill it. */
export async function findPageEnd(transaction: Transaction, filter: RunFilter): Promise<string | undefined> {
  const values: unknown[] = [];
  const where = conditions(filter, values);
  const [row] = await transaction.query<{ id: string }>(
    `select id from pattern.finished where true${where} order by id desc offset $${values.push(filter.limit - 1)} limit 1`,
    values,
  );
  return row?.id;
}

/** Runs without a finished row that are not queued either. `after` bounds how far back the look goes. */
export async function listRunning(transaction: Transaction, filter: RunFilter, after: string): Promise<AcceptedRow[]> {
  const values: unknown[] = [];
  const where = conditions(filter, values);
  const rows = await transaction.query<AcceptedRow>(
    `select ${acceptedNames} from pattern.accepted as a where id >= $${values.push(after)}::uuid${where}
       and not exists (select from pattern.finished as f where f.workspace = a.workspace and f.id = a.id)
       and not exists (select from pattern.task as t where t.workspace = a.workspace and t.id = a.id)
      order by id desc limit $${values.push(filter.limit)}`,
    values,
  );
  return rows.map(readRow);
}

export async function readFinished(
  transaction: Transaction,
  id: string,
): Promise<(FinishedRow & { payload: Buffer | null }) | undefined> {
  const [row] = await transaction.query<FinishedRow & { payload: Buffer | null }>(
    `select ${finishedNames}, payload from pattern.finished where id = $1`,
    [id],
  );
  return row && readRow(row);
}

export async function readAccepted(transaction: Transaction, id: string): Promise<AcceptedRow | undefined> {
  const [row] = await transaction.query<AcceptedRow>(`select ${acceptedNames} from pattern.accepted where id = $1`, [
    id,
  ]);
  return row && readRow(row);
}

/** Runs of a dead process that nobody ended, across workspaces, by id. What is queued has not been left behind. */
export function listAbandoned(
  database: Database,
  dead: { readonly id: string; readonly startedAt: Date },
  page: { readonly after: string | null; readonly limit: number },
): Promise<AcceptedRow[]> {
  return database.transaction({ role: 'platform', workspace: null }, async (transaction) => {
    // The day allows for a process whose clock differed from the database's.
    const rows = await transaction.query<AcceptedRow>(
      `select ${acceptedNames} from pattern.accepted as a
        where process = $1 and id >= pattern.uuid_at($2::timestamptz - interval '1 day') and ($3::uuid is null or id > $3)
          and not exists (select from pattern.finished as f where f.workspace = a.workspace and f.id = a.id)
          and not exists (select from pattern.task as t where t.workspace = a.workspace and t.id = a.id)
        order by id limit $4`,
      [dead.id, dead.startedAt, page.after, page.limit],
    );
    return rows.map(readRow);
  });
}

/** Makes partitions ahead of time. */
export async function ensurePartitions(database: Database): Promise<void> {
  await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query('select pattern.ensure_partitions(8)'),
  );
}

/** The driver gives dates as objects and bigints as text. */
export function readRow<Row extends AcceptedRow>(row: Row): Row {
  const times: Record<string, unknown> = { accepted_at: new Date(row.accepted_at).toISOString() };
  const { finished_at, cost_micros } = row as unknown as Partial<FinishedRow>;
  if (finished_at !== undefined) times.finished_at = new Date(finished_at).toISOString();
  if (typeof cost_micros === 'string') times.cost_micros = Number(cost_micros);
  return { ...row, ...times };
}
