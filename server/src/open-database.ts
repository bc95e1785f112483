import type pg from 'pg';
import { serviceTable } from './compose.ts';
import type { Config } from './config.ts';
import { type Admin, openAdmin } from './open-admin.ts';
import { AppError } from './platform/app-error.ts';
import { refuseUnsettled } from './platform/backup/restore-state.ts';
import type { Clock } from './platform/clock.ts';
import { migrate } from './platform/database/migrate.ts';
import { withConnection } from './platform/database/own-connection.ts';
import { prepareDatabase } from './platform/database/prepare.ts';
import { quoteName, type Roles } from './platform/database/roles.ts';
import type { Log } from './platform/log.ts';
import type { Settings } from './platform/postgres/settings.ts';
import type { Postgres } from './platform/postgres/supervisor.ts';

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

/** Starts the embedded PostgreSQL or connects to the operator's, and brings it to this code's state. */
export async function openPlatformDatabase(options: {
  config: Config;
  clock: Clock;
  log: Log;
  contract: boolean;
  signal?: AbortSignal;
  /** Of the embedded server: for tests. */
  settings?: Settings;
  /** Go in beside the process that runs the embedded server, when one does. */
  beside?: boolean;
}): Promise<OpenedDatabase> {
  const admin = await openAdmin(options);
  try {
    return await prepare(options, admin);
  } catch (error) {
    await admin.close();
    throw error;
  }
}

/** Folder of the migrations of each service. */
export const migrationFolders = Object.fromEntries(
  Object.entries(serviceTable).map(([name, { migrations }]) => [name, migrations]),
);

async function prepare({ log, contract }: { log: Log; contract: boolean }, admin: Admin): Promise<OpenedDatabase> {
  const { connection, loginRole, postgres } = admin;
  try {
    await refuseUnsettled(connection);
    const { roles, database } = await prepareDatabase({
      connection,
      services: Object.keys(migrationFolders),
      ...(loginRole ? { loginRole } : {}),
    });
    const count = await migrate({ connection, roles, folders: migrationFolders, contract, log });
    if (count > 0) log.info('The database was brought up to date', { migrations: count });
    return {
      connection: loginRole ? { ...connection, user: loginRole } : connection,
      roles,
      name: database,
      separateRoles: roles.name('owner') !== null,
      hasDataKeys: await findDataKeys(connection, roles),
      postgres,
      close: admin.close,
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

async function findDataKeys(connection: pg.ClientConfig, roles: Roles): Promise<boolean> {
  return withConnection(connection, async (client) => {
    const owner = roles.name('owner');
    if (owner) await client.query(`set role ${quoteName(owner)}`);
    await client.query(`set damask.role = 'owner'`);
    const { rows } = await client.query<{ found: boolean }>('select exists (select from platform.data_key) as found');
    return rows[0]?.found === true;
  });
}
