import type { Database, Transaction } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import { bumpTopic } from '#platform/topic.ts';
import type { LiveRuns } from './live-runs.ts';
import type { OutputPublisher } from './output-publisher.ts';
import { keepSignal, readSignals, type Signal } from './signal-store.ts';

/** Follows what other processes ask of the runs of this one. */
export const signalTopic = 'pattern.run-signal';

/** Tells the process that executes a run to stop it, to write down what it says, or to look. In a transaction of its workspace. */
export async function askOf(transaction: Transaction, signal: Signal & { readonly process: string }): Promise<void> {
  await keepSignal(transaction, signal);
  await bumpTopic(transaction, signalTopic);
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
  const signals = await readSignals(database, process);
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
