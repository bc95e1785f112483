import type pg from 'pg';
import { AppError } from '../app-error.ts';
import { openConnection, ownerOf } from '../database/own-connection.ts';
import { quoteName } from '../database/roles.ts';
import { copyOut } from './copy-stream.ts';
import type { BackupMigration, BackupSequence, BackupTable } from './manifest.ts';

export type FoundTable = Pick<BackupTable, 'schema' | 'name' | 'columns' | 'partition'>;

/** One moment of the whole database, held open while it is read. */
export interface Snapshot {
  readonly installation: string;
  readonly epoch: number;
  readonly postgres: number;
  readonly at: string;
  readonly next_transaction: string;
  readonly migrations: readonly BackupMigration[];
  /** Those that others point to come first. */
  readonly tables: readonly FoundTable[];
  readonly sequences: readonly BackupSequence[];
  readonly last_ids: Readonly<Record<string, string>>;
  /** Bytes on the disk, which is about what is to be read. */
  readonly disk_bytes: number;
  rows(table: FoundTable): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** How values are written, the same in every cluster. */
export const textSettings = `set client_encoding = 'UTF8'; set datestyle = 'ISO, MDY'; set intervalstyle = 'postgres';
  set timezone = 'UTC'; set extra_float_digits = 1; set bytea_output = 'hex'; set statement_timeout = 0;
  set idle_in_transaction_session_timeout = 0; set transaction_timeout = 0`;

const lockPatience = '10s';

export const fullName = ({ schema, name }: { schema: string; name: string }) =>
  `${quoteName(schema)}.${quoteName(name)}`;

/** Opens a connection that stays until it is closed; its statements may take hours. */
export async function connectForBackup(connection: pg.ClientConfig): Promise<pg.Client> {
  const client = await openConnection({ ...connection, application_name: 'damask backup', keepAlive: true });
  for (const setting of textSettings.split(';')) {
    // transaction_timeout is there from PostgreSQL 17 on.
    await client.query(setting).catch((error: unknown) => {
      if ((error as { code?: string }).code !== '42704') throw error;
    });
  }
  return client;
}

/** Takes the snapshot. Errors: `unavailable` when there is no Damask in the database, or it is older than this form of backups. */
export async function openSnapshot(connection: pg.ClientConfig): Promise<Snapshot> {
  const client = await connectForBackup(connection);
  try {
    await becomeReader(client);
    await client.query(`begin isolation level repeatable read read only; set local lock_timeout = '${lockPatience}'`);
    const tables = await findTables(client);
    // Nothing may be dropped or changed while it is read.
    await client.query(`lock table ${tables.map(fullName).join(', ')} in access share mode`);
    const facts = await readFacts(client);
    return {
      ...facts,
      tables,
      migrations: await readMigrations(client),
      sequences: await readSequences(client),
      last_ids: await readLastIds(client, tables),
      rows: (table) =>
        copyOut(
          client,
          `copy (select ${table.columns.map(quoteName).join(', ')} from only ${fullName(table)}) to stdout`,
        ),
      close: () => client.end(),
    };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/** Every schema that migrations made. */
export const schemas = `select distinct service as schema from platform.migration union select 'platform'`;

/**
 * Row-level security must not leave rows out without a word. A superuser passes it over, and `row_security = off` makes
 * anything else an error; an ordinary owner gets a policy of its own, which counts only where damask.role says `backup`.
 */
async function becomeReader(client: pg.Client): Promise<void> {
  if ((await ownerOf(client, 'platform.restoring')) !== null) {
    throw new AppError(
      'unavailable',
      'A restore into this database did not finish. Run `damask restore` again, then take a backup.',
    );
  }
  const owner = await ownerOf(client, 'platform.migration');
  if (owner === null || (await ownerOf(client, 'platform.epoch')) === null) {
    throw new AppError(
      'unavailable',
      owner === null
        ? 'There is no Damask in this database yet. Start the platform once.'
        : 'The database is older than this command. Start the platform once, which brings it up to date.',
    );
  }
  const { rows } = await client.query<{ passes: boolean }>(
    'select rolsuper or rolbypassrls as passes from pg_roles where rolname = current_user',
  );
  if (rows[0]?.passes) {
    await client.query('set row_security = off');
    return;
  }
  await client.query(`set role ${quoteName(owner)}`);
  await client.query(`set damask.role = 'backup'; set lock_timeout = '${lockPatience}'`);
  const { rows: lacking } = await client.query<{ schema: string; name: string }>(
    `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in (${schemas}) and c.relkind in ('r', 'p') and c.relrowsecurity
        and not exists (select from pg_policy where polrelid = c.oid and polname = 'backup_reads')`,
  );
  for (const table of lacking) {
    await client.query(`create policy backup_reads on ${fullName(table)} for select to ${quoteName(owner)}
      using ((select current_setting('damask.role', true) = 'backup'))`);
  }
}

async function readFacts(client: pg.Client) {
  const { rows } = await client.query<{
    installation: string;
    epoch: number;
    postgres: number;
    at: string;
    next_transaction: string;
    disk_bytes: string;
  }>(
    `select installation, epoch, current_setting('server_version_num')::int as postgres,
            to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at,
            pg_snapshot_xmax(pg_current_snapshot())::text as next_transaction,
            (select coalesce(sum(pg_table_size(c.oid)), 0)::text from pg_class c
               join pg_namespace n on n.oid = c.relnamespace
              where n.nspname in (${schemas}) and c.relkind = 'r') as disk_bytes
       from platform.epoch`,
  );
  const facts = rows[0] as (typeof rows)[0];
  return { ...facts, disk_bytes: Number(facts.disk_bytes) };
}

async function readMigrations(client: pg.Client): Promise<BackupMigration[]> {
  const { rows } = await client.query<BackupMigration>(
    'select service, number, name, checksum from platform.migration order by service, number',
  );
  return rows;
}

/** Ordinary tables and leaves of partitioned ones, each after those that it refers to. */
async function findTables(client: pg.Client): Promise<FoundTable[]> {
  const { rows } = await client.query<FoundTable & { id: number; refers: number[] }>(
    `select c.oid::int8::float8 as id, n.nspname as schema, c.relname as name,
            (select coalesce(json_agg(a.attname order by a.attnum), '[]') from pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
            (select json_build_object('of', p.relname, 'bound', pg_get_expr(c.relpartbound, c.oid))
               from pg_inherits i join pg_class p on p.oid = i.inhparent where i.inhrelid = c.oid and c.relispartition)
              as partition,
            (select coalesce(json_agg(k.confrelid::int8), '[]') from pg_constraint k
              where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as refers
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in (${schemas}) and c.relkind = 'r' and c.relpersistence = 'p'
      order by n.nspname <> 'platform', n.nspname, c.relname`,
  );
  const placed = new Set<number>();
  const ordered: FoundTable[] = [];
  const here = new Set(rows.map((row) => row.id));
  for (let left = rows; left.length > 0; ) {
    const free = left.filter((row) => row.refers.every((id) => placed.has(id) || !here.has(id)));
    if (free.length === 0) throw new Error('Tables refer to each other in a circle');
    for (const { id, refers: _, ...table } of free) {
      placed.add(id);
      ordered.push(table);
    }
    left = left.filter((row) => !placed.has(row.id));
  }
  return ordered;
}

/** Not bound to the snapshot: what they give out only grows, so a later value is right too. */
async function readSequences(client: pg.Client): Promise<BackupSequence[]> {
  const { rows } = await client.query<BackupSequence>(
    `select schemaname as schema, sequencename as name, last_value::text from pg_sequences
      where schemaname in (${schemas}) and last_value is not null`,
  );
  return rows;
}

const mostLooked = 4;

/** The newest id in the newest partitions that have rows: ids grow with time. */
async function readLastIds(client: pg.Client, tables: readonly FoundTable[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const leaves = tables.filter(({ partition, columns }) => partition !== null && columns.includes('id'));
  const looked: Record<string, number> = {};
  for (const table of leaves.toReversed()) {
    const parent = `${table.schema}.${table.partition?.of}`;
    if ((looked[parent] ?? 0) >= mostLooked) continue;
    const { rows } = await client.query<{ id: string }>(
      `select id::text as id from only ${fullName(table)} order by id desc limit 1`,
    );
    const id = rows[0]?.id;
    if (id === undefined) continue;
    looked[parent] = (looked[parent] ?? 0) + 1;
    if (id > (found[parent] ?? '')) found[parent] = id;
  }
  return found;
}
