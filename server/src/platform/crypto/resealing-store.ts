import type { Database, Transaction } from '../database/database.ts';
import { quoteName } from '../database/roles.ts';
import { placeName, type SealedColumn } from './sealed-column.ts';

export interface OpenRotation {
  readonly workspace: string;
  /** The newest version of the data key, which everything is to be sealed with. */
  readonly version: number;
  readonly pass: number;
}

export interface Resealing {
  readonly place: string;
  /** Null: no row was looked at yet. */
  readonly position: readonly string[] | null;
  readonly done: boolean;
}

export type RowKey = readonly string[];

export interface SeenRow {
  readonly key: RowKey;
  /** Of the data key that sealed it. */
  readonly version: number;
  readonly bytes: number;
}

/** Rotations of all workspaces whose pass may go on now, the oldest first. */
export function findRotations(database: Pick<Database, 'transaction'>, most: number): Promise<OpenRotation[]> {
  return database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query<OpenRotation>(
      `select workspace, version, pass from platform.rotation
        where finished_at is null and pass_at <= now() order by started_at limit $1`,
      [most],
    ),
  );
}

/** Until the end of the transaction nobody else works on this workspace. False when somebody does, or it is over. */
export async function takeRotation(transaction: Transaction, { workspace, version, pass }: OpenRotation) {
  const [locked] = await transaction.query<{ taken: boolean }>(
    `select pg_try_advisory_xact_lock(hashtextextended('damask resealing ' || $1, 0)) as taken`,
    [workspace],
  );
  if (!locked?.taken) return false;
  const rows = await transaction.query(
    'select from platform.rotation where version = $1 and pass = $2 and finished_at is null',
    [version, pass],
  );
  return rows.length > 0;
}

export function readResealings(transaction: Transaction, { version, pass }: OpenRotation): Promise<Resealing[]> {
  return transaction.query<Resealing>(
    'select place, position, done from platform.resealing where version = $1 and pass = $2',
    [version, pass],
  );
}

/** Begins a pass over a column with the number of its rows. */
export async function addResealing(transaction: Transaction, rotation: OpenRotation, column: SealedColumn) {
  await transaction.query(
    `insert into platform.resealing (workspace, version, place, pass, total)
     select $1, $2, $3, $4, count(*) from (select from ${tableOf(column)} limit 5000000) as held`,
    [rotation.workspace, rotation.version, placeName(column), rotation.pass],
  );
}

/** The next rows of a column by key, without their values. */
export async function readPage(
  transaction: Transaction,
  column: SealedColumn,
  after: RowKey | null,
  limit: number,
): Promise<SeenRow[]> {
  const names = keyNames(column);
  const types = Object.values(column.key);
  const sealed = quoteName(column.column);
  const from = after ? `and (${names}) > (${types.map((type, at) => `$${at + 2}::${type}`).join(', ')})` : '';
  const rows = await transaction.query<{ key: string[]; head: Buffer; bytes: number }>(
    `select array[${keyTexts(column)}] as key, substring(${sealed} from 2 for 4) as head, octet_length(${sealed}) as bytes
       from ${tableOf(column)} where ${sealed} is not null ${from} order by ${names} limit $1`,
    [limit, ...(after ?? [])],
  );
  return rows.map(({ key, head, bytes }) => ({ key, bytes, version: head.length === 4 ? head.readUInt32BE() : 0 }));
}

export interface TakenRow {
  readonly key: RowKey;
  readonly fields: Readonly<Record<string, string>>;
  readonly sealed: Buffer;
}

/** Takes rows until the end of the transaction; those that others have in hand are left out, so that nobody waits for another. */
export async function takeRows(
  transaction: Transaction,
  column: SealedColumn,
  keys: readonly RowKey[],
): Promise<TakenRow[]> {
  const names = Object.keys(column.key);
  const also = column.also ?? [];
  const rows = await transaction.query<{ key: string[]; also: string[]; sealed: Buffer }>(
    `select array[${keyTexts(column, 't.')}] as key,
            array[${also.map((name) => `t.${quoteName(name)}::text`).join(', ')}]::text[] as also, t.${quoteName(column.column)} as sealed
       from ${unnestKeys(column, 1)} join ${tableOf(column)} as t on ${sameKey(column)}
      where t.${quoteName(column.column)} is not null for no key update of t skip locked`,
    columnsOf(column, keys),
  );
  return rows.map(({ key, also: more, sealed }) => {
    const fields = names.map((name, at) => [name, key[at]] as const);
    const others = also.map((name, at) => [name, more[at]] as const);
    return { key, sealed, fields: Object.fromEntries([...fields, ...others]) as Record<string, string> };
  });
}

/** Puts sealed values in rows that this transaction has taken. */
export async function putRows(
  transaction: Transaction,
  column: SealedColumn,
  rows: readonly { readonly key: RowKey; readonly sealed: Buffer }[],
): Promise<void> {
  await transaction.query(
    `update ${tableOf(column)} as t set ${quoteName(column.column)} = g.sealed from ${unnestKeys(column, 1, 'sealed')} where ${sameKey(column)}`,
    [
      ...columnsOf(
        column,
        rows.map(({ key }) => key),
      ),
      rows.map(({ sealed }) => sealed),
    ],
  );
}

export interface Step {
  readonly position: RowKey | null;
  readonly done: boolean;
  readonly seen: number;
  readonly resealed: number;
  readonly skipped: number;
  readonly failed: number;
  readonly spentMs: number;
}

export async function noteStep(transaction: Transaction, rotation: OpenRotation, place: string, step: Step) {
  await transaction.query(
    `update platform.resealing set position = coalesce($4, position), done = $5, seen = seen + $6, resealed = resealed + $7,
            skipped = skipped + $8, failed = failed + $9, spent_ms = spent_ms + $10
      where version = $1 and pass = $2 and place = $3`,
    [
      ...[rotation.version, rotation.pass, place, step.position && JSON.stringify(step.position), step.done],
      ...[step.seen, step.resealed, step.skipped, step.failed, Math.round(step.spentMs)],
    ],
  );
}

/**
 * Ends a pass: the rotation is over when it found nothing that an older version had sealed and began once nobody sealed with
 * one any more, or there is another pass. Older versions go, unless something does not open and may yet be mended.
 */
export async function endPass(
  transaction: Transaction,
  { version, pass }: OpenRotation,
  settleMs: number,
): Promise<{ readonly finished: boolean; readonly failed: number }> {
  const [sums] = await transaction.query<{ found: number; failed: number; settled: boolean }>(
    `select coalesce(sum(s.resealed + s.skipped), 0)::int as found, coalesce(sum(s.failed), 0)::int as failed,
            bool_and(r.pass_at >= r.started_at + $3 * interval '1 ms') as settled
       from platform.rotation r join platform.resealing s on s.version = r.version and s.pass = r.pass
      where r.version = $1 and r.pass = $2`,
    [version, pass, settleMs],
  );
  const { found = 0, failed = 0, settled = false } = sums ?? {};
  if (!settled || found > 0) {
    await transaction.query(
      `update platform.rotation set pass = pass + 1, pass_at = greatest(now(), started_at + $2 * interval '1 ms')
        where version = $1`,
      [version, settleMs],
    );
    return { finished: false, failed };
  }
  if (failed === 0) await transaction.query('delete from platform.data_key where version < $1', [version]);
  await transaction.query('update platform.rotation set finished_at = now() where version = $1', [version]);
  return { finished: true, failed };
}

const tableOf = ({ table }: SealedColumn) => table.split('.').map(quoteName).join('.');
const keyNames = ({ key }: SealedColumn) => Object.keys(key).map(quoteName).join(', ');
const keyTexts = ({ key }: SealedColumn, prefix = '') =>
  Object.keys(key)
    .map((name) => `${prefix}${quoteName(name)}::text`)
    .join(', ');
const sameKey = ({ key }: SealedColumn) =>
  Object.keys(key)
    .map((name) => `t.${quoteName(name)} = g.${quoteName(`k_${name}`)}`)
    .join(' and ');

function unnestKeys({ key }: SealedColumn, first: number, value?: string): string {
  const types = Object.values(key).map((type, at) => `$${first + at}::${type}[]`);
  const names = Object.keys(key).map((name) => quoteName(`k_${name}`));
  const more = value === undefined ? [] : [`$${first + types.length}::bytea[]`];
  return `unnest(${[...types, ...more].join(', ')}) as g(${[...names, ...(value === undefined ? [] : [value])].join(', ')})`;
}

const columnsOf = ({ key }: SealedColumn, keys: readonly RowKey[]) =>
  Object.keys(key).map((_, at) => keys.map((one) => one[at]));
