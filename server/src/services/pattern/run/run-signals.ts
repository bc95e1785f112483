import type { Database, Transaction } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import { bumpTopic } from '#platform/topic.ts';
import type { LiveRuns } from './live-runs.ts';
import type { OutputPublisher } from './output-publisher.ts';

/** Follows what other processes ask of the runs of this one. */
export const signalTopic = 'pattern.run-signal';

export type SignalKind = 'cancel' | 'publish' | 'decided';

/** Tells the process that executes a run to stop it, to write down what it says, or to look. In a transaction of its workspace. */
export async function askOf(
  transaction: Transaction,
  { workspace, run, kind, process }: { workspace: string; run: string; kind: SignalKind; process: string },
): Promise<void> {
  await transaction.query(
    `insert into pattern.run_signal (workspace, run, kind, process) values ($1, $2, $3, $4)
     on conflict (workspace, run, kind) do update set asked_at = now(), process = excluded.process`,
    [workspace, run, kind, process],
  );
  await bumpTopic(transaction, signalTopic);
}

/** Whether a queued run was to be stopped while another process had it in hand. */
export async function isCancelAsked(database: Database, workspace: string, run: string): Promise<boolean> {
  const rows = await database.transaction({ role: 'worker', workspace: null }, (transaction) =>
    transaction.query(`select from pattern.run_signal where workspace = $1 and run = $2 and kind = 'cancel'`, [
      workspace,
      run,
    ]),
  );
  return rows.length > 0;
}

export const cancelled = 'The run was cancelled on request.';

/** Does what is asked of the runs that this process executes. What is asked of others, or twice, changes nothing. */
export async function heedSignals(parts: {
  database: Database;
  process: string;
  live: LiveRuns;
  publisher: OutputPublisher;
  log: Log;
}): Promise<void> {
  const { database, process, live, publisher, log } = parts;
  const signals = await database.transaction({ role: 'worker', workspace: null }, async (transaction) => {
    await transaction.query(`delete from pattern.run_signal where asked_at < now() - interval '1 day'`);
    return transaction.query<{ workspace: string; run: string; kind: SignalKind }>(
      `select s.workspace, s.run, s.kind from pattern.run_signal as s
         left join pattern.task as t on t.workspace = s.workspace and t.id = s.run
        where (s.process = $1 or t.owner = $1) and (s.kind = 'cancel' or s.asked_at > now() - interval '15 seconds')
        order by s.asked_at desc limit 1000`,
      [process],
    );
  });
  for (const { workspace, run, kind } of signals) {
    const found = live.find(workspace, run);
    if (!found) continue;
    if (kind === 'cancel') found.stop('run_cancelled', cancelled);
    else if (kind === 'decided') found.decided?.();
    else tryTo(() => publisher.wanted(found), log, run);
  }
}

function tryTo(act: () => void, log: Log, run: string): void {
  try {
    act();
  } catch (error) {
    log.info('A run has too many readers to be followed from another process', { run, error });
  }
}
