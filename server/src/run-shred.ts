import type { encryptionOperations } from '@damask/contracts/encryption.ts';
import type { Config } from './config.ts';
import { openPlatformDatabase } from './open-database.ts';
import { AppError } from './platform/app-error.ts';
import type { Client } from './platform/call.ts';
import { systemClock as clock } from './platform/clock.ts';
import { systemContext } from './platform/system-context.ts';
import { createServerLog } from './server-log.ts';
import { withIdentity } from './with-identity.ts';

const usage = 'Name the workspace by its id and its name: damask workspace shred <id> --confirm <name>';

/** Destroys the data keys of a workspace, beside a platform that runs or without one. Errors: `invalid_request`, `not_found`, `policy_refused`. */
export async function shredWorkspace(config: Config, workspace: string | undefined, name: string | undefined) {
  if (workspace === undefined || name === undefined) throw new AppError('invalid_request', usage);
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(workspace)) {
    throw new AppError('invalid_request', `'${workspace}' is no id of a workspace. ${usage}`);
  }
  const serverLog = createServerLog(config, 'workspace-shred');
  const database = await openPlatformDatabase({ config, clock, log: serverLog.log, contract: false, beside: true });
  try {
    await withIdentity({ config, database, serverLog, mayMakeKey: false }, async (client) => {
      const identity = client as Client<typeof encryptionOperations>;
      const { keys, shredded_at } = await identity.shredWorkspace(systemContext(clock), { workspace, name });
      process.stdout.write(
        `The workspace ${name} was shredded at ${shredded_at}: ${keys} data keys are gone, and its texts cannot be read any more.\nBackups from before still hold its wrapped keys. They are readable until they are deleted, or the key that they were sealed with is: docs/guides/encryption.md says how.\n`,
      );
    });
  } finally {
    await database.close();
  }
}
