import { compose } from './compose.ts';
import type { Config } from './config.ts';
import type { openPlatformDatabase } from './open-database.ts';
import { openFloor } from './open-floor.ts';
import type { createServerLog } from './server-log.ts';

/**
 * The identity service for one command of the operator, beside a platform that runs or without one; asked as a client would
 * ask it. It ends with `work`.
 */
export async function withIdentity(
  given: {
    readonly config: Config;
    readonly database: Awaited<ReturnType<typeof openPlatformDatabase>>;
    readonly serverLog: ReturnType<typeof createServerLog>;
    /** Whether a key file that is missing may be made. */
    readonly mayMakeKey: boolean;
  },
  work: (identity: unknown) => Promise<void>,
): Promise<void> {
  const { config, database, serverLog, mayMakeKey } = given;
  const floor = await openFloor({
    ...{ config, connection: database.connection, roles: database.roles, mayMakeKey },
    secret: Buffer.alloc(32),
    ...serverLog,
  });
  const composition = await compose({
    here: ['identity'],
    addressOf: () => null,
    floor,
    config,
    models: { environmentProviders: () => [], localModel: null },
    door: { copy: false, checkOutput: false },
  });
  try {
    await work(composition.clients.identity);
  } finally {
    await composition.stop(0);
    await floor.close();
  }
}
