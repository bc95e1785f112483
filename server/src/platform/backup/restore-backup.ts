import type pg from 'pg';
import type { KeyEncryptionKey } from '../crypto/key-file.ts';
import { checkSteps, migrate } from '../database/migrate.ts';
import { prepareDatabase } from '../database/prepare.ts';
import { quoteName, type Roles } from '../database/roles.ts';
import type { Log } from '../log.ts';
import type { FindBackupKey } from './backup-file.ts';
import { sumUp, tableName } from './manifest.ts';
import { type BackupChain, readTables } from './read-backup.ts';
import {
  addPartitions,
  analyze,
  beginLife,
  beginRestore,
  findForeign,
  liftGuards,
  loadTable,
  readShift,
  refuseStarted,
  refuseUsed,
  restoreGuards,
  setSequences,
} from './restore-store.ts';
import { connectForBackup } from './snapshot-store.ts';

export interface RestoreOptions {
  /** Of an empty database, as a user that may make roles and schemas. */
  readonly connection: pg.ClientConfig;
  readonly chain: BackupChain;
  readonly kek: KeyEncryptionKey | FindBackupKey;
  /** Service name to the folder of its migrations. */
  readonly folders: Readonly<Record<string, string>>;
  /** The login of the pool, when it is not the connection's own user. */
  readonly loginRole?: string;
  readonly log: Log;
  readonly onProgress?: (progress: { table: string; bytes: number; expected: number }) => void;
}

/**
 * Brings a backup into an empty database: its schema as it was, all rows in one transaction, checked against the manifest, then
 * the migrations that are newer. Killed in between, the database says that it is half restored, and can be restored to again.
 * Answers the tables that were left out, since no migration makes them.
 * Errors: `in_use` for a target that is not empty; `unavailable` for a backup of a newer Damask; both before anything is written.
 */
export async function restoreBackup(options: RestoreOptions): Promise<readonly string[]> {
  const { connection, chain, folders, log, loginRole } = options;
  const { manifest } = chain;
  await checkSteps(manifest.migrations, folders);
  const services = Object.keys(folders);
  const client = await connectForBackup(connection);
  try {
    await refuseUsed(client, services);
    await beginRestore(client, services);
    const { roles } = await prepareDatabase({ connection, services, ...(loginRole ? { loginRole } : {}) });
    const steps = { connection, roles, folders, log };
    await migrate({ ...steps, contract: true, only: manifest.migrations });
    await client.query('begin');
    const foreign = await fill(client, roles, options);
    await client.query('commit');
    await migrate({ ...steps, contract: false });
    await becomeOwner(client, roles, 'session');
    await analyze(client, manifest.tables);
    return foreign;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function becomeOwner(client: pg.Client, roles: Roles, scope: 'local' | 'session') {
  const owner = roles.name('owner');
  if (owner) await client.query(`set ${scope} role ${quoteName(owner)}`);
}

async function fill(
  client: pg.Client,
  roles: Roles,
  { chain, kek, onProgress }: RestoreOptions,
): Promise<readonly string[]> {
  const { manifest } = chain;
  const shift = await readShift(client, manifest);
  await becomeOwner(client, roles, 'local');
  await refuseStarted(client);
  await addPartitions(client, manifest.tables);
  const foreign = await findForeign(client, manifest.tables);
  const guards = await liftGuards(client);
  const expected = sumUp(manifest).bytes;
  let bytes = 0;
  for await (const { table, rows } of readTables(chain, kek)) {
    const told = async function* () {
      for await (const block of rows) {
        bytes += block.length;
        onProgress?.({ table: tableName(table), bytes, expected });
        yield block;
      }
    };
    if (foreign.includes(tableName(table))) for await (const _ of told());
    else await loadTable(client, table, told(), shift);
  }
  await setSequences(client, manifest.sequences);
  await restoreGuards(client, guards);
  await beginLife(client, manifest);
  return foreign;
}
