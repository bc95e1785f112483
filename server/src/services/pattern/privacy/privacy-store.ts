import type { DataClass } from '@damask/contracts/pattern-settings.ts';
import type { Removal, RetentionRule } from '@damask/contracts/privacy.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { HoldRow } from './legal-holds.ts';

export interface RetentionRow {
  readonly workspace: string;
  readonly least_class: DataClass;
  readonly rules: readonly RetentionRule[];
  readonly updated_at: Date;
}

export interface RunningErasure {
  readonly workspace: string;
  readonly id: string;
  /** HMAC. */
  readonly subject: string;
}

/** What workspaces have set, and what is being erased, across workspaces. */
export function loadPrivacy(
  database: Database,
): Promise<{ readonly retention: readonly RetentionRow[]; readonly erasures: readonly RunningErasure[] }> {
  return database.transaction({ role: 'platform', workspace: null }, async (transaction) => ({
    retention: await transaction.query<RetentionRow>(
      'select workspace, least_class, rules, updated_at from pattern.retention order by workspace limit 100000',
    ),
    erasures: await transaction.query<RunningErasure>(
      `select workspace, id, subject from pattern.erasure where subject is not null order by id limit 10000`,
    ),
  }));
}

export async function readRetention(transaction: Transaction): Promise<RetentionRow | undefined> {
  const [row] = await transaction.query<RetentionRow>(
    'select workspace, least_class, rules, updated_at from pattern.retention',
  );
  return row;
}

export async function saveRetention(
  transaction: Transaction,
  { workspace, least_class, rules }: Omit<RetentionRow, 'updated_at'>,
): Promise<void> {
  await transaction.query(
    `insert into pattern.retention (workspace, least_class, rules) values ($1, $2, $3)
     on conflict (workspace) do update set least_class = excluded.least_class, rules = excluded.rules, updated_at = now()`,
    [workspace, least_class, JSON.stringify(rules)],
  );
}

/** Lets the keeper look through all of the workspace again. */
export async function beginAnew(transaction: Transaction, workspace: string): Promise<void> {
  await transaction.query('delete from pattern.retention_progress where workspace = $1', [workspace]);
}

/** Waits until nobody removes anything; nobody does until the transaction ends. */
export async function holdKeeper(transaction: Transaction): Promise<void> {
  await transaction.query(`select pg_advisory_xact_lock(hashtextextended('damask keeper', 0))`);
}

/** False while another process removes something, or holds are changed. */
export async function becomeKeeper(transaction: Transaction): Promise<boolean> {
  const [row] = await transaction.query<{ taken: boolean }>(
    `select pg_try_advisory_xact_lock(hashtextextended('damask keeper', 0)) as taken`,
  );
  return row?.taken === true;
}

const holdColumns = 'name, reason, subject, subject_name, pattern, since, until, placed_at, placed_by';

export function listHolds(
  transaction: Transaction,
  page: { readonly after: string | null; readonly limit: number },
): Promise<HoldRow[]> {
  return transaction.query<HoldRow>(
    `select ${holdColumns} from pattern.legal_hold where ($1::text is null or name > $1) order by name limit $2`,
    [page.after, page.limit],
  );
}

/** No workspace has more. */
export const mostHolds = 1_000;

export const allHolds = (transaction: Transaction) => listHolds(transaction, { after: null, limit: mostHolds });

export async function readHold(transaction: Transaction, name: string): Promise<HoldRow | undefined> {
  const [row] = await transaction.query<HoldRow>(`select ${holdColumns} from pattern.legal_hold where name = $1`, [
    name,
  ]);
  return row;
}

export async function saveHold(
  transaction: Transaction,
  workspace: string,
  hold: Omit<HoldRow, 'placed_at'>,
): Promise<void> {
  const { name, reason, subject, subject_name, pattern, since, until, placed_by } = hold;
  await transaction.query(
    `insert into pattern.legal_hold (workspace, name, reason, subject, subject_name, pattern, since, until, placed_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (workspace, name) do update set reason = excluded.reason, subject = excluded.subject, subject_name = excluded.subject_name, pattern = excluded.pattern, since = excluded.since,
       until = excluded.until, placed_by = excluded.placed_by, placed_at = now()`,
    [workspace, name, reason, subject, subject_name, pattern, since, until, placed_by],
  );
}

export async function deleteHold(transaction: Transaction, name: string): Promise<void> {
  await transaction.query('delete from pattern.legal_hold where name = $1', [name]);
}

/** Something that was removed. */
export interface RemovedThing {
  readonly data_class: string;
  readonly environment: string;
  readonly at: Date;
}

/** Adds to what is told of the day. */
export async function noteRemovals(
  transaction: Transaction,
  workspace: string,
  { reason, of, way }: Pick<Removal, 'reason' | 'of' | 'way'>,
  things: readonly RemovedThing[],
  uuid: () => string,
): Promise<void> {
  const groups = new Map<
    string,
    { count: number; oldest: Date; newest: Date; data_class: string; environment: string }
  >();
  for (const { data_class, environment, at } of things) {
    const key = `${data_class} ${environment}`;
    const group = groups.get(key) ?? { count: 0, oldest: at, newest: at, data_class, environment };
    group.count += 1;
    if (at < group.oldest) group.oldest = at;
    if (at > group.newest) group.newest = at;
    groups.set(key, group);
  }
  for (const group of groups.values()) {
    await addRemoval(transaction, workspace, { reason, of, way, ...group, id: uuid() });
  }
}

export async function addRemoval(
  transaction: Transaction,
  workspace: string,
  removal: Pick<Removal, 'reason' | 'of' | 'way'> & RemovedCount,
): Promise<void> {
  const { id, reason, of, way, data_class, environment, count, oldest, newest } = removal;
  await transaction.query(
    `insert into pattern.removal as r (workspace, id, day, reason, of, way, data_class, environment, count, oldest, newest)
     values ($1, $2, (now() at time zone 'utc')::date, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (workspace, day, reason, of, way, data_class, environment) do update set removed_at = now(),
       count = r.count + excluded.count, oldest = least(r.oldest, excluded.oldest), newest = greatest(r.newest, excluded.newest)`,
    [workspace, id, reason, of, way, data_class, environment, count, oldest, newest],
  );
}

export interface RemovedCount {
  readonly id: string;
  readonly data_class: string;
  readonly environment: string;
  readonly count: number;
  readonly oldest: Date;
  readonly newest: Date;
}

/** Newest first. */
export async function listRemovals(
  transaction: Transaction,
  page: { readonly before: string | null; readonly limit: number },
): Promise<Removal[]> {
  const rows = await transaction.query<Record<string, unknown> & { count: string }>(
    `select id, removed_at, reason, of, way, data_class, environment, count::text, oldest, newest from pattern.removal
      where ($1::uuid is null or id < $1) order by id desc limit $2`,
    [page.before, page.limit],
  );
  const time = (value: unknown) => (value as Date).toISOString();
  return rows.map((row) => ({
    ...(row as unknown as Removal),
    data_class: (row.data_class || null) as Removal['data_class'],
    environment: (row.environment || null) as Removal['environment'],
    count: Number(row.count),
    removed_at: time(row.removed_at),
    oldest: time(row.oldest),
    newest: time(row.newest),
  }));
}

/** Workspaces that have a legal hold. */
export async function listHeldWorkspaces(database: Database): Promise<ReadonlySet<string>> {
  const rows = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query<{ workspace: string }>('select distinct workspace from pattern.legal_hold limit 100000'),
  );
  return new Set(rows.map(({ workspace }) => workspace));
}
