import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { withConnection } from '#platform/database/own-connection.ts';

const unsealed = ['identity', 'pattern']
  .map(
    (service) =>
      `exists (select from ${service}.audit as a
         left join platform.cursor as c on c.consumer = 'identity.audit' and c.source = '${service}'
        where c.xact is null or (a.xact, a.id) > (c.xact, c.id))`,
  )
  .join(' or ');

/**
 * Asks for passes of the sequencer until all that is committed now is sealed: a transaction of another test, in another database
 * of the same server, holds it back for a moment.
 */
export async function sealAudit(connection: pg.ClientConfig, pass: () => Promise<void>): Promise<void> {
  await withConnection(connection, async (client) => {
    const until = Date.now() + 10_000;
    for (let waiting = true; waiting && Date.now() < until; ) {
      await pass();
      const { rows } = await client.query<{ waiting: boolean }>(`select ${unsealed} as waiting`);
      waiting = rows[0]?.waiting ?? false;
      if (waiting) await sleep(20);
    }
  });
}
