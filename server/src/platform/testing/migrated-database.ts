import { systemClock } from '../clock.ts';
import { type Database, openDatabase } from '../database/database.ts';
import { migrate } from '../database/migrate.ts';
import { prepareDatabase } from '../database/prepare.ts';
import { createLog, type Log } from '../log.ts';
import { createRedact } from '../redact.ts';
import { type TestDatabase, testDatabase } from './postgres.ts';

export interface MigratedDatabase {
  readonly database: Database;
  /** Says nothing. */
  readonly log: Log;
  /** As superuser, for looking behind the service's back. */
  readonly connection: TestDatabase['connection'];
  drop(): Promise<void>;
}

/** A new database with the schemas of these services: service name to folder of migrations. */
export async function migratedDatabase(folders: Readonly<Record<string, string>>): Promise<MigratedDatabase> {
  const { connection, drop } = await testDatabase();
  const log = createLog({ level: 'error', clock: systemClock, write: () => undefined, redact: createRedact() });
  const { roles } = await prepareDatabase({ connection, services: Object.keys(folders) });
  await migrate({ connection, roles, folders, contract: false, log });
  const database = openDatabase({ connection, roles, log, poolSize: 4, statementTimeout: 5_000 });
  return {
    database,
    log,
    connection,
    async drop() {
      await database.end();
      await drop();
    },
  };
}
