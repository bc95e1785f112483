import type pg from 'pg';
import { AppError } from '../app-error.ts';
import { becomeOwner, ownerOf, withConnection } from '../database/own-connection.ts';

export interface RestoreState {
  /** A restore into this database did not finish. */
  readonly half: boolean;
  /** Set when a restore is not acknowledged. */
  readonly restored: { readonly snapshotAt: Date; readonly restoredAt: Date } | null;
}

/** What a restore left to be said before the platform may start. Works on any database, also one without Damask. */
export async function readRestoreState(connection: pg.ClientConfig): Promise<RestoreState> {
  return withConnection(connection, async (client) => {
    const half = (await ownerOf(client, 'platform.restoring')) !== null;
    if (half || !(await becomeOwner(client, 'platform.epoch', 'connection'))) return { half, restored: null };
    const found = await client.query<{ snapshotAt: Date; restoredAt: Date }>(
      `select snapshot_at as "snapshotAt", restored_at as "restoredAt" from platform.epoch
        where restored_at is not null and acknowledged_at is null`,
    );
    return { half, restored: found.rows[0] ?? null };
  });
}

/** Errors: `unavailable` while a restore is half done, or nobody has said to know what it lost. */
export async function refuseUnsettled(connection: pg.ClientConfig): Promise<void> {
  const { half, restored } = await readRestoreState(connection);
  if (half) {
    throw new AppError(
      'unavailable',
      'A restore into this database did not finish, so nothing in it can be used. Run `damask restore` again with the same backup.',
    );
  }
  if (restored) {
    throw new AppError(
      'unavailable',
      `These data are as they were at ${restored.snapshotAt.toISOString()}; what was done later is unknown here: runs, paid calls, new and revoked keys. Queued work may be done a second time. To go on knowing this: \`damask restore --acknowledge\`.`,
    );
  }
}

/** Says that somebody knows. False when there was nothing to say it about. */
export async function acknowledgeRestore(connection: pg.ClientConfig): Promise<boolean> {
  const { half, restored } = await readRestoreState(connection);
  if (half) await refuseUnsettled(connection);
  if (!restored) return false;
  return withConnection(connection, async (client) => {
    await becomeOwner(client, 'platform.epoch', 'connection');
    const { rowCount } = await client.query(
      'update platform.epoch set acknowledged_at = now() where restored_at is not null and acknowledged_at is null',
    );
    return rowCount === 1;
  });
}
