import type { Announce } from './announce.ts';
import { type Config, egressLists } from './config.ts';
import { findModels } from './find-models.ts';
import { reissueOwnerKey } from './first-start.ts';
import { readInstanceNote } from './instance-file.ts';
import { openPlatformDatabase } from './open-database.ts';
import { AppError } from './platform/app-error.ts';
import { systemClock } from './platform/clock.ts';
import { createEgress } from './platform/egress/egress.ts';
import { createServerLog } from './server-log.ts';
import { withIdentity } from './with-identity.ts';

/** Commands that do one thing and end. */
export async function runOnce(
  command: 'migrate' | 'model-pull' | 'owner-key',
  config: Config,
  announce: Announce,
  contract: boolean,
): Promise<void> {
  if (command === 'model-pull') return pullModel(config, announce);
  const serverLog = createServerLog(config, command);
  const database = await openPlatformDatabase({ config, clock: systemClock, log: serverLog.log, contract });
  try {
    if (command === 'owner-key') await addOwnerKey(config, database, serverLog);
    else process.stdout.write('The database is up to date.\n');
  } finally {
    await database.close();
  }
}

async function pullModel(config: Config, announce: Announce) {
  const { log } = createServerLog(config, 'model-pull');
  const egress = createEgress({ ...egressLists(config), clock: systemClock });
  const models = findModels({ config, egress, socketDirectory: config.storage.cache_dir, clock: systemClock, log });
  try {
    const path = await models.pull((progress) => announce.model({ state: 'fetching', ...progress }));
    announce.pulled(path);
  } finally {
    await models.stop();
    await egress.close();
  }
}

async function addOwnerKey(
  config: Config,
  database: Awaited<ReturnType<typeof openPlatformDatabase>>,
  serverLog: ReturnType<typeof createServerLog>,
) {
  const mayMakeKey = !database.hasDataKeys;
  await withIdentity({ config, database, serverLog, mayMakeKey }, async (identity) => {
    const note = readInstanceNote(config.storage.data_dir);
    const made = await reissueOwnerKey({
      identity: identity as never,
      clock: systemClock,
      log: serverLog.log,
      configDir: config.storage.config_dir,
      url: note?.url ?? `http://${config.http.host}:${config.http.port}`,
      dataDir: config.storage.database_url === undefined ? config.storage.data_dir : null,
    }).catch((error: unknown) => {
      if (!(error instanceof AppError && error.code === 'not_found')) throw error;
      throw new AppError('unavailable', 'There is no workspace yet. Start the platform once: it prints the owner key.');
    });
    process.stdout.write(`${made.ownerKey}\nKept for the command line in ${made.credentials}. This is shown once.\n`);
  });
}
