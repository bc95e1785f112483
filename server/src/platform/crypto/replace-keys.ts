import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { AppError } from '../app-error.ts';
import { becomeOwner, withConnection } from '../database/own-connection.ts';
import type { KeyRing } from './wrapping-key.ts';

/**
 * Gives every workspace a new data key after the key file was lost. What the old ones sealed stays unreadable for good; what is
 * sealed from now on can be read. Answers how many workspaces there were. Errors: `in_use` while a platform runs, `already_exists`
 * when the keys at hand open everything, so that nothing is lost.
 */
export async function replaceDataKeys(connection: pg.ClientConfig, keys: KeyRing): Promise<number> {
  return withConnection(connection, async (client) => {
    await client.query('begin');
    if (!(await becomeOwner(client, 'platform.data_key', 'transaction'))) {
      throw new AppError('unavailable', 'There is no Damask in this database. Nothing needs a key yet.');
    }
    await client.query(`set local damask.role = 'owner'; lock table platform.data_key`);
    const living = await client.query(
      `select from platform.process where ended_at is null and heartbeat_at > now() - interval '15 s'`,
    );
    if (living.rowCount) {
      throw new AppError('in_use', 'A platform runs on this database. Stop it, wait 15 seconds, and try again.');
    }
    const wrappers = await client.query<{ kek: string }>('select distinct kek from platform.data_key');
    const atHand: string[] = [];
    for (const { kek } of wrappers.rows) if (await keys.find(kek)) atHand.push(kek);
    const { rows } = await client.query<{ workspace: string; version: number }>(
      `select workspace, max(version) as version from platform.data_key group by workspace
        having not bool_or(kek = any($1)) order by workspace`,
      [atHand],
    );
    if (rows.length === 0) {
      throw new AppError(
        'already_exists',
        'The key at hand opens everything that is stored. Nothing needs to be replaced.',
      );
    }
    const kek = await keys.current();
    for (const { workspace, version } of rows) {
      const wrapped = await kek.wrap({ workspace, version: version + 1 }, randomBytes(32));
      await client.query('insert into platform.data_key (workspace, version, kek, wrapped) values ($1, $2, $3, $4)', [
        workspace,
        version + 1,
        kek.id,
        wrapped,
      ]);
      // What was kept from older versions is lost with them; the new one begins anew.
      await client.query('delete from platform.index_key where workspace = $1', [workspace]);
    }
    await client.query('commit');
    return rows.length;
  });
}
