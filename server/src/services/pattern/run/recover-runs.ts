import type { Clock, Timer } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import { forgetClaims } from './claim-store.ts';
import type { Journal } from './journal.ts';
import type { AcceptedRow, FinishedRow } from './record.ts';
import { ensurePartitions, listAbandoned } from './store.ts';
import { toUnfinished } from './unfinished.ts';

const every = 10_000;
const pageSize = 500;
/** Longer than the 24 hours that are promised, by more than the longest run. */
const claimHours = 26;

/** Ends the runs that a dead process left open, and keeps partitions ready. Looks at once and then every ten seconds. */
export function startRecovery(options: {
  database: Database;
  registry: ProcessRegistry;
  journal: Journal;
  clock: Clock;
  log: Log;
}): { first: Promise<void>; stop(): Promise<void> } {
  const { clock, log } = options;
  let stopped = false;
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  const pass = async () => {
    await recoverOnce(options).catch((error: unknown) =>
      log.warn('Runs of dead processes could not be ended yet', { error }),
    );
    if (!stopped) {
      timer = clock.after(every, () => {
        running = pass();
      });
    }
  };
  running = pass();
  return {
    first: running,
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}

async function recoverOnce({ database, registry, journal, clock, log }: Parameters<typeof startRecovery>[0]) {
  // Somebody who reads for a long time may hold it up, but not what follows.
  await ensurePartitions(database).catch((error: unknown) => log.warn('Partitions could not be made yet', { error }));
  await forgetClaims(database, claimHours, pageSize).catch((error: unknown) =>
    log.warn('Old idempotency keys could not be forgotten yet', { error }),
  );
  for (const dead of await registry.findDead()) {
    let ended = 0;
    for (let after: AcceptedRow | undefined, more = true; more; ) {
      const abandoned = await listAbandoned(database, dead, { after: after?.id ?? null, limit: pageSize });
      const rows = abandoned.map((row) => toInterrupted(row, clock.now()));
      await Promise.all(rows.map((row) => journal.finish(row, null).committed.catch(() => undefined)));
      ended += rows.length;
      after = abandoned.at(-1);
      more = abandoned.length === pageSize;
    }
    await registry.markRecovered(dead.id);
    if (ended > 0) log.warn('Runs of a process that died were ended as interrupted', { process: dead.id, runs: ended });
  }
}

const interrupted = 'The process died during the run. Whether the provider answered is not known. Run it again.';

function toInterrupted(row: AcceptedRow, now: number): FinishedRow {
  return {
    ...toUnfinished(row, now, 'interrupted', interrupted),
    attempts: [
      {
        number: 1,
        model: row.model,
        outcome: 'uncertain',
        code: 'interrupted',
        provider_status: null,
        first_output_ms: null,
        total_ms: null,
      },
    ],
  };
}
