import { join } from 'node:path';
import pg from 'pg';
import { serviceTable } from './compose.ts';
import type { Config } from './config.ts';
import { AppError } from './platform/app-error.ts';
import type { Clock } from './platform/clock.ts';
import { migrate } from './platform/database/migrate.ts';
import { prepareDatabase } from './platform/database/prepare.ts';
import { quoteName, type Roles } from './platform/database/roles.ts';
import type { Log } from './platform/log.ts';
import { makeFolder } from './platform/make-folder.ts';
import { explainFileError } from './platform/postgres/failure.ts';
import type { Settings } from './platform/postgres/settings.ts';
import { type Postgres, startPostgres } from './platform/postgres/supervisor.ts';

export interface OpenedDatabase {
  /** For the pool: a login that owns nothing and bypasses nothing. */
  readonly connection: pg.ClientConfig;
  readonly roles: Roles;
  readonly name: string;
  /** True when the database gave each service a role of its own. */
  readonly separateRoles: boolean;
  /** True when payloads were written under a key already, so that a missing key file is an error. */
  readonly hasDataKeys: boolean;
  readonly postgres: Postgres | null;
  close(): Promise<void>;
}

const superuser = 'damask';
const embeddedName = 'damask';
const embeddedLogin = 'damask_login';

/** Starts the embedded PostgreSQL or connects to the operator's, and brings it to this code's state. */
export async function openPlatformDatabase(options: {
  config: Config;
  clock: Clock;
  log: Log;
  contract: boolean;
  signal?: AbortSignal;
  /** Of the embedded server: for tests. */
  settings?: Settings;
}): Promise<OpenedDatabase> {
  const { config } = options;
  const url = config.storage.database_url;
  if (url !== undefined) return prepare(options, { connectionString: url }, { connectionString: url }, null);
  const folder = config.storage.data_dir;
  await makeFolder(folder).catch((error: unknown) => {
    throw explainFileError(error, folder);
  });
  const postgres = await startPostgres({
    dataDirectory: join(folder, 'postgres'),
    user: superuser,
    clock: options.clock,
    log: options.log,
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.settings ? { settings: options.settings } : {}),
  });
  try {
    await createEmbeddedDatabase(postgres);
    const admin = postgres.connection(embeddedName);
    return await prepare(options, admin, { ...admin, user: embeddedLogin }, postgres);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function prepare(
  { log, contract }: { log: Log; contract: boolean },
  admin: pg.ClientConfig,
  connection: pg.ClientConfig,
  postgres: Postgres | null,
): Promise<OpenedDatabase> {
  const services = Object.keys(serviceTable);
  const folders = Object.fromEntries(Object.entries(serviceTable).map(([name, { migrations }]) => [name, migrations]));
  try {
    const { roles, database } = await prepareDatabase({
      connection: admin,
      services,
      ...(postgres ? { loginRole: embeddedLogin } : {}),
    });
    const count = await migrate({ connection: admin, roles, folders, contract, log });
    if (count > 0) log.info('The database was brought up to date', { migrations: count });
    return {
      connection,
      roles,
      name: database,
      separateRoles: roles.name('owner') !== null,
      hasDataKeys: await findDataKeys(admin, roles),
      postgres,
      close: async () => postgres?.stop(),
    };
  } catch (error) {
    if (error instanceof AppError || postgres) throw error;
    throw new AppError(
      'unavailable',
      `The database of DAMASK_DATABASE_URL cannot be used: ${(error as Error).message}. Check the address, that the server runs, and that the user may connect and create schemas.`,
      {},
      { cause: error },
    );
  }
}

async function createEmbeddedDatabase(postgres: Postgres): Promise<void> {
  const client = new pg.Client(postgres.connection('postgres'));
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [embeddedName]);
    if (rowCount === 0) await client.query(`create database ${quoteName(embeddedName)}`);
  } finally {
    await client.end();
  }
}

async function findDataKeys(connection: pg.ClientConfig, roles: Roles): Promise<boolean> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    const owner = roles.name('owner');
    if (owner) await client.query(`set role ${quoteName(owner)}`);
    const { rows } = await client.query<{ found: boolean }>('select exists (select from platform.data_key) as found');
    return rows[0]?.found === true;
  } finally {
    await client.end();
  }
}
