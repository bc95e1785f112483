import { systemClock } from '../../server/src/platform/clock.ts';
import { openDatabase } from '../../server/src/platform/database/database.ts';
import { createRoles } from '../../server/src/platform/database/roles.ts';
import { createLog } from '../../server/src/platform/log.ts';
import { createRedact } from '../../server/src/platform/redact.ts';
import { sealEntries } from '../../server/src/services/identity/audit/seal-entries.ts';

// Seals as fast as it can until somebody kills it. Its argument is the connection as JSON.
const connection = JSON.parse(process.argv[2] as string);
const log = createLog({
  level: 'error',
  clock: systemClock,
  write: (line) => void process.stderr.write(line),
  redact: createRedact(),
});
const database = openDatabase({
  connection,
  roles: createRoles(connection.database, true, connection.user),
  log,
  poolSize: 2,
  statementTimeout: 5_000,
});
process.stdout.write('sealing\n');
for (;;) {
  await sealEntries({ database, clock: systemClock, log, auditSources: ['identity', 'pattern'] });
  await systemClock.sleep(2);
}
