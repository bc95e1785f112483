import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type { Config } from './config.ts';
import { AppError } from './platform/app-error.ts';
import type { Clock } from './platform/clock.ts';
import { makeDatabase } from './platform/database/make-database.ts';
import type { Log } from './platform/log.ts';
import { makeFolder } from './platform/make-folder.ts';
import { connectionTo } from './platform/postgres/bring-up.ts';
import { explainFileError } from './platform/postgres/failure.ts';
import { findPostmaster } from './platform/postgres/postmaster.ts';
import type { Settings } from './platform/postgres/settings.ts';
import { type Postgres, startPostgres } from './platform/postgres/supervisor.ts';

/** A way to the database as the one who may make roles and schemas in it. */
export interface Admin {
  readonly connection: pg.ClientConfig;
  /** The login of the pool, when it is not the connection's own user. */
  readonly loginRole: string | undefined;
  /** Null: the operator's, or one that another process keeps. */
  readonly postgres: Postgres | null;
  close(): Promise<void>;
}

export interface AdminOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** Of the embedded server: for tests. */
  readonly settings?: Settings;
  /** Go in beside the process that runs the embedded server, when one does. */
  readonly beside?: boolean;
}

const superuser = 'damask';
const embeddedName = 'damask';
const embeddedLogin = 'damask_login';

/** Connects to the operator's PostgreSQL, or starts the embedded one. Errors: `in_use`, `unavailable`. */
export async function openAdmin(options: AdminOptions): Promise<Admin> {
  const { config, clock, log, signal, settings } = options;
  const url = config.storage.database_url;
  if (url !== undefined) {
    return {
      connection: { connectionString: url },
      loginRole: undefined,
      postgres: null,
      close: async () => undefined,
    };
  }
  const folder = config.storage.data_dir;
  await makeFolder(folder).catch((error: unknown) => {
    throw explainFileError(error, folder);
  });
  const dataDirectory = join(folder, 'postgres');
  try {
    const postgres = await startPostgres({
      dataDirectory,
      user: superuser,
      clock,
      log,
      ...(signal ? { signal } : {}),
      ...(settings ? { settings } : {}),
    });
    return await withDatabase(postgres);
  } catch (error) {
    const running = options.beside && error instanceof AppError && error.code === 'in_use';
    const found = running ? await findPostmaster(await realpath(dataDirectory)) : undefined;
    if (!found) throw error;
    const connection = connectionTo(found.socketDirectory, superuser, embeddedName);
    return { connection, loginRole: embeddedLogin, postgres: null, close: async () => undefined };
  }
}

async function withDatabase(postgres: Postgres): Promise<Admin> {
  try {
    await makeDatabase(postgres.connection('postgres'), embeddedName);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  const connection = postgres.connection(embeddedName);
  return { connection, loginRole: embeddedLogin, postgres, close: () => postgres.stop() };
}
