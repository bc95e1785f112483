import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { AppError } from '../app-error.ts';
import { becomeOwner, withConnection } from '../database/own-connection.ts';
import { wrapDataKey } from '../vault.ts';
import type { KeyEncryptionKey } from './key-file.ts';

/**
 * Gives every workspace a new data key after the key file was lost. What the old ones sealed stays unreadable for good; what is
 * sealed from now on can be read. Answers how many workspaces there were. Errors: `in_use` while a platform runs, `already_exists`
 * when the key file opens everything, so that nothing is lost.
 */
export async function replaceDataKeys(connection: pg.ClientConfig, kek: KeyEncryptionKey): Promise<number> {
  return withConnection(connection, async (client) => {
    await client.query('begin');
    if (!(await becomeOwner(client, 'platform.data_key', 'transaction'))) {
      throw new AppError('unavailable', 'There is no Damask in this database. Nothing needs a key yet.');
    }
    await client.query('lock table platform.data_key');
    const living = await client.query(
      `select from platform.process where ended_at is null and heartbeat_at > now() - interval '15 s'`,
    );
    if (living.rowCount) {
      throw new AppError('in_use', 'A platform runs on this database. Stop it, wait 15 seconds, and try again.');
    }
    const { rows } = await client.query<{ workspace: string; version: number }>(
      `select workspace, max(version) as version from platform.data_key group by workspace
        having not bool_or(kek = $1) order by workspace`,
      [kek.id],
    );
    if (rows.length === 0) {
      throw new AppError(
        'already_exists',
        'The key file opens everything that is stored. Nothing needs to be replaced.',
      );
    }
    for (const { workspace, version } of rows) {
      const wrapped = await wrapDataKey(kek, workspace, version + 1, randomBytes(32));
      await client.query('insert into platform.data_key (workspace, version, kek, wrapped) values ($1, $2, $3, $4)', [
        workspace,
        version + 1,
        kek.id,
        wrapped,
      ]);
    }
    await client.query('commit');
    return rows.length;
  });
}
