import type pg from 'pg';
import type { Clock } from '../clock.ts';
import { becomeOwner, withConnection } from '../database/own-connection.ts';
import { noWorkspace } from '../system-context.ts';

/** A backup reads everything there is, so the audit log of the installation tells of it: which one, and where it went. */
export async function noteBackup(
  connection: pg.ClientConfig,
  clock: Clock,
  { backup, place }: { readonly backup: string; readonly place: string },
): Promise<void> {
  await withConnection(connection, async (client) => {
    await client.query('begin');
    await becomeOwner(client, 'identity.audit', 'transaction');
    await client.query(`set local damask.workspace = '${noWorkspace}'`);
    await client.query(
      `insert into identity.audit (workspace, id, actor_kind, actor_id, auth, action, subject, details, request_id)
       values ($1, $2, 'system', 'operator', 'system', 'takeBackup', $3, $4, $5)`,
      [noWorkspace, clock.uuid(), `backup/${backup}`, JSON.stringify({ place }), clock.uuid()],
    );
    await client.query('commit');
  });
}
