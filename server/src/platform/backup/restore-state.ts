import pg from 'pg';
import { AppError } from '../app-error.ts';
import { quoteName } from '../database/roles.ts';

export interface RestoreState {
  /** A restore into this database did not finish. */
  readonly half: boolean;
  /** Set when a restore is not acknowledged. */
  readonly restored: { readonly snapshotAt: Date; readonly restoredAt: Date } | null;
}

/** What a restore left to be said before the platform may start. Works on any database, also one without Damask. */
export async function readRestoreState(connection: pg.ClientConfig): Promise<RestoreState> {
  return withClient(connection, async (client) => {
    const { rows } = await client.query<{ half: boolean; known: boolean; owner: string | null }>(
      `select to_regclass('platform.restoring') is not null as half, to_regclass('platform.epoch') is not null as known,
              (select pg_get_userbyid(relowner) from pg_class where oid = to_regclass('platform.epoch')) as owner`,
    );
    const { half, known, owner } = rows[0] as (typeof rows)[0];
    if (half || !known) return { half, restored: null };
    if (owner !== null) await client.query(`set role ${quoteName(owner)}`);
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
  return withClient(connection, async (client) => {
    const { rows } = await client.query<{ owner: string }>(
      `select pg_get_userbyid(relowner) as owner from pg_class where oid = 'platform.epoch'::regclass`,
    );
    await client.query(`set role ${quoteName(rows[0]?.owner ?? '')}`);
    const { rowCount } = await client.query(
      'update platform.epoch set acknowledged_at = now() where restored_at is not null and acknowledged_at is null',
    );
    return rowCount === 1;
  });
}

async function withClient<Result>(connection: pg.ClientConfig, work: (client: pg.Client) => Promise<Result>) {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
