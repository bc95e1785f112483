import type { Transaction } from '../database/database.ts';
import { bumpTopic } from '../topic.ts';
import type { NextDataKey } from '../vault.ts';
import { dataKeysTopic, lockKeys } from './data-key-store.ts';

export interface KeyVersion {
  readonly version: number;
  readonly kek: string;
  readonly created_at: Date;
}

/** Versions of the transaction's workspace, the newest first. */
export function listVersions(transaction: Transaction): Promise<KeyVersion[]> {
  return transaction.query<KeyVersion>(
    'select version, kek, created_at from platform.data_key order by version desc limit 100',
  );
}

export interface RotationRow {
  readonly version: number;
  readonly pass: number;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  /** Its pass begins later. */
  readonly waits: boolean;
  readonly rows: number;
  readonly seen: number;
  readonly failed: number;
  readonly spent_ms: number;
}

/** The last rotation of the transaction's workspace. */
export async function findRotation(transaction: Transaction): Promise<RotationRow | undefined> {
  const [row] = await transaction.query<RotationRow>(
    `select r.version, r.pass, r.started_at, r.finished_at, r.pass_at > now() as waits,
            coalesce(sum(s.total), 0)::float8 as rows, coalesce(sum(case when s.done then s.total else s.seen end), 0)::float8 as seen,
            coalesce(sum(s.failed), 0)::float8 as failed, coalesce(sum(s.spent_ms), 0)::float8 as spent_ms
       from platform.rotation r left join platform.resealing s on s.version = r.version and s.pass = r.pass
      group by r.workspace, r.version order by r.version desc limit 1`,
  );
  return row;
}

/** Stores a new version and begins its rotation. False when there is one under way, or another version came first. */
export async function beginRotation(transaction: Transaction, workspace: string, next: NextDataKey): Promise<boolean> {
  await lockKeys(transaction, workspace);
  const [now] = await transaction.query<{ newest: number | null; open: boolean }>(
    `select (select max(version) from platform.data_key) as newest,
            exists (select from platform.rotation where finished_at is null) as open`,
  );
  if (now?.open || now?.newest !== next.version - 1) return false;
  await transaction.query('insert into platform.data_key (workspace, version, kek, wrapped) values ($1, $2, $3, $4)', [
    workspace,
    next.version,
    next.kek,
    next.wrapped,
  ]);
  await transaction.query(
    `insert into platform.index_key (workspace, sealed) values ($1, $2)
     on conflict (workspace) do update set sealed = excluded.sealed`,
    [workspace, next.index],
  );
  await transaction.query('insert into platform.rotation (workspace, version) values ($1, $2)', [
    workspace,
    next.version,
  ]);
  await bumpTopic(transaction, dataKeysTopic);
  return true;
}

/** Destroys all keys of the transaction's workspace, so that none is made again. Answers how many there were. */
export async function shredKeys(transaction: Transaction, workspace: string): Promise<number> {
  await lockKeys(transaction, workspace);
  await transaction.query(
    'insert into platform.shredded_workspace (workspace) values ($1) on conflict (workspace) do nothing',
    [workspace],
  );
  const keys = await transaction.query('delete from platform.data_key returning version');
  await transaction.query('delete from platform.index_key');
  await transaction.query('delete from platform.rotation');
  await bumpTopic(transaction, dataKeysTopic);
  return keys.length;
}

export async function shreddedAt(transaction: Transaction): Promise<Date | undefined> {
  const [row] = await transaction.query<{ shredded_at: Date }>('select shredded_at from platform.shredded_workspace');
  return row?.shredded_at;
}
