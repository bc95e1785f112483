import type { Database } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import type { FinishedRow } from './record.ts';
import { readFinished } from './store.ts';

/**
 * Of two ends of a run the first one stands. A process that was silent for so long that others may have ended its runs
 * tells what the record says, and otherwise what it knows itself. `started` is of the clock's `monotonic`.
 */
export function createConfirmEnd(parts: {
  database: Pick<Database, 'transaction'>;
  registry: Pick<ProcessRegistry, 'lapsedSince'>;
  log: Log;
}): (row: FinishedRow, started: number) => FinishedRow | Promise<FinishedRow> {
  const { database, registry, log } = parts;
  return (row, started) => {
    if (row.error_code === 'unrecorded' || !registry.lapsedSince(started)) return row;
    return database
      .transaction({ role: 'pattern', workspace: row.workspace }, (transaction) => readFinished(transaction, row.id))
      .then(
        (stored) => (stored ? withoutPayload(stored) : row),
        (error: unknown): FinishedRow => {
          log.warn('The end of a run could not be looked up after a silence', { run: row.id, error });
          return { ...row, status: 'failed', error_code: 'unrecorded', error_detail: unsure };
        },
      );
  };
}

function withoutPayload({ payload: _, ...row }: FinishedRow & { payload: Buffer | null }): FinishedRow {
  return row;
}

const unsure =
  'This process was cut off from the database for a while. Look the run up before you run it again: it may have ended otherwise.';
