import type pg from 'pg';
import { AppError } from '../app-error.ts';
import { ownerOf } from '../database/own-connection.ts';
import { quoteName } from '../database/roles.ts';
import { copyIn } from './copy-stream.ts';
import { type BackupSequence, type BackupTable, type Manifest, tableName } from './manifest.ts';
import { fullName, schemas } from './snapshot-store.ts';
import { shiftColumn } from './table-rows.ts';

/** One restore at a time, and none into a database that has served. The lock lasts as long as the connection. Errors: `in_use`. */
export async function refuseUsed(client: pg.Client, services: readonly string[]): Promise<void> {
  const lock = await client.query<{ taken: boolean }>(
    `select pg_try_advisory_lock(hashtextextended('damask restore', 0)) as taken`,
  );
  if (!lock.rows[0]?.taken) {
    throw new AppError('in_use', 'Another restore into this database is under way. Wait for it, or stop it first.');
  }
  if ((await ownerOf(client, 'platform.restoring')) !== null) return;
  const owner = await ownerOf(client, 'platform.process');
  if (owner === null) {
    const { rows } = await client.query<{ name: string }>(
      'select nspname as name from pg_namespace where nspname = any($1) order by 1',
      [['platform', ...services]],
    );
    if (rows.length === 0) return;
    throw new AppError(
      'in_use',
      `The database has the schema ${rows.map(({ name }) => name).join(', ')}, which Damask did not make. Restore into a database of its own.`,
    );
  }
  if (!(await hasServed(client, owner))) return;
  throw new AppError(
    'in_use',
    'There are data of Damask where this would be restored to, and nothing is overwritten. Restore into an empty place: set DAMASK_DATA_DIR to a new folder or DAMASK_DATABASE_URL to an empty database, or move the old data away.',
  );
}

// A schema that migrations made and nobody used holds nothing but what they put there.
async function hasServed(client: pg.Client, owner: string): Promise<boolean> {
  await client.query(`set role ${quoteName(owner)}; set damask.role = 'owner'`);
  const { rows } = await client.query<{ used: boolean }>(
    'select exists (select from platform.process) or exists (select from platform.data_key) as used',
  );
  await client.query('reset role; reset damask.role');
  return rows[0]?.used === true;
}

/** Takes away what an earlier attempt left and marks the database as half restored, in one step. */
export async function beginRestore(client: pg.Client, services: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ name: string; owner: string }>(
    'select nspname as name, pg_get_userbyid(nspowner) as owner from pg_namespace where nspname = any($1)',
    [['platform', ...services]],
  );
  await client.query('begin');
  for (const { name, owner } of rows) {
    await client.query(`set local role ${quoteName(owner)}; drop schema ${quoteName(name)} cascade; reset role`);
  }
  await client.query('create schema platform; create table platform.restoring (); commit');
}

const rangeBound = /^(FOR VALUES FROM \('[0-9a-f-]+'\) TO \('[0-9a-f-]+'\)|DEFAULT)$/;

/** Makes the partitions that the backup has and the new schema does not. */
export async function addPartitions(client: pg.Client, tables: readonly BackupTable[]): Promise<void> {
  for (const table of tables) {
    if (table.partition === null) continue;
    const { rowCount } = await client.query('select where to_regclass($1) is null', [fullName(table)]);
    if (rowCount === 0) continue;
    const { bound } = table.partition;
    if (!rangeBound.test(bound)) throw new Error(`A partition has the bound ${bound}, which is not known here`);
    const parent = fullName({ schema: table.schema, name: table.partition.of });
    await client.query(`create table ${fullName(table)} (like ${parent} including all);
      alter table ${fullName(table)} enable row level security, force row level security;
      alter table ${parent} attach partition ${fullName(table)} ${bound}`);
  }
}

/** A platform that looked in the moment before the mark was set would serve what is about to be replaced. Errors: `in_use`. */
export async function refuseStarted(client: pg.Client): Promise<void> {
  await client.query('lock table platform.process');
  const { rowCount } = await client.query('select from platform.process limit 1');
  if (rowCount === 0) return;
  throw new AppError('in_use', 'A platform was started on this database meanwhile. Stop it, and restore again.');
}

interface Guard {
  readonly table: string;
  readonly forced: boolean;
  readonly triggers: readonly string[] | null;
}

/** Empties all tables and lifts what keeps the owner from filling them. Answers what `restoreGuards` needs. */
export async function liftGuards(client: pg.Client): Promise<Guard[]> {
  const { rows } = await client.query<Guard>(
    `select format('%I.%I', n.nspname, c.relname) as table, c.relforcerowsecurity as forced,
            (select json_agg(t.tgname) from pg_trigger t
              where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled = 'O' and t.tgparentid = 0) as triggers
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in (${schemas}) and c.relkind in ('r', 'p') and c.oid <> to_regclass('platform.restoring')`,
  );
  for (const { table, forced, triggers } of rows) {
    if (forced) await client.query(`alter table ${table} no force row level security`);
    for (const name of triggers ?? []) await client.query(`alter table ${table} disable trigger ${quoteName(name)}`);
  }
  await client.query(`truncate ${rows.map(({ table }) => table).join(', ')}`);
  return rows;
}

export async function restoreGuards(client: pg.Client, guards: readonly Guard[]): Promise<void> {
  for (const { table, forced, triggers } of guards) {
    for (const name of triggers ?? []) await client.query(`alter table ${table} enable trigger ${quoteName(name)}`);
    if (forced) await client.query(`alter table ${table} force row level security`);
  }
}

/** Tables that no migration made: somebody else's, which the new schema has no place for. */
export async function findForeign(client: pg.Client, tables: readonly BackupTable[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    'select name from unnest($1::text[], $2::text[]) as given (name, quoted) where to_regclass(quoted) is null',
    [tables.map(tableName), tables.map(fullName)],
  );
  return rows.map(({ name }) => name);
}

/** Fills one table. Numbers of transactions, in a column `xact`, are moved below those of this cluster. */
export async function loadTable(
  client: pg.Client,
  table: BackupTable,
  rows: AsyncIterable<Buffer>,
  shift: bigint,
): Promise<void> {
  const column = table.columns.indexOf('xact');
  const moved = column === -1 || shift === 0n ? rows : shiftColumn(rows, column, shift);
  const columns = table.columns.map(quoteName).join(', ');
  await copyIn(client, `copy ${fullName(table)} (${columns}) from stdin`, moved);
}

/** By how much this cluster is behind the one of the backup in counting transactions. */
export async function readShift(client: pg.Client, manifest: Manifest): Promise<bigint> {
  const { rows } = await client.query<{ current: string }>('select pg_current_xact_id()::text as current');
  const behind = BigInt(manifest.next_transaction) - BigInt(rows[0]?.current ?? '0');
  return behind > 0n ? behind : 0n;
}

export async function setSequences(client: pg.Client, sequences: readonly BackupSequence[]): Promise<void> {
  for (const sequence of sequences) {
    const { rowCount } = await client.query('select where to_regclass($1) is not null', [fullName(sequence)]);
    if (rowCount === 0) continue;
    await client.query('select setval($1::regclass, $2::bigint)', [fullName(sequence), sequence.last_value]);
  }
}

/**
 * Begins a new life of the data: whoever was alive in the old one is dead, so its leases end, its calls become uncertain and its
 * runs interrupted by the ways that hold for any process that died.
 */
export async function beginLife(client: pg.Client, manifest: Manifest): Promise<void> {
  await client.query(
    `update platform.process set heartbeat_at = least(heartbeat_at, now() - interval '1 hour'), recovered_at = null
      where ended_at is null`,
  );
  await client.query(
    `update platform.epoch set epoch = $1::int + 1, backup = $2, snapshot_at = $3, restored_at = now(), acknowledged_at = null`,
    [manifest.epoch, manifest.backup, manifest.snapshot_at],
  );
  await client.query('drop table platform.restoring');
}

/** For the planner, which otherwise takes every table for an empty one. */
export async function analyze(client: pg.Client, tables: readonly BackupTable[]): Promise<void> {
  for (const table of tables) {
    const { rowCount } = await client.query('select where to_regclass($1) is not null', [fullName(table)]);
    if (table.rows > 0 && rowCount === 1) await client.query(`analyze ${fullName(table)}`);
  }
}
