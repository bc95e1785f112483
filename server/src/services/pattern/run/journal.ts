import type pg from 'pg';
import type { Clock } from '#platform/clock.ts';
import { createGroupCommit, type GroupCommit, type Written } from '#platform/group-commit.ts';
import type { Log } from '#platform/log.ts';
import type { AcceptedRow, FinishedRow, JournalRow } from './record.ts';
import { quarantineRow, writeGroup } from './store.ts';

/** Where runs become durable. */
export interface Journal {
  /** Throws when runs cannot be recorded now: no call to a model may go out then. */
  admit(): void;
  accept(row: AcceptedRow): Written<JournalRow>;
  /**
   * An acceptance that still waits to be written makes room for the end: the end says all that it says. Both are then
   * committed as one row.
   */
  finish(row: FinishedRow, payload: Buffer | null, accepted?: Written<JournalRow>): Written<JournalRow>;
  readonly waiting: number;
  stop(milliseconds: number): Promise<number>;
}

/** What a row costs beside its payload, roughly. */
const rowBytes = 700;

export function createJournal(options: { connect: () => Promise<pg.Client>; clock: Clock; log: Log }): Journal {
  const group: GroupCommit<JournalRow> = createGroupCommit<JournalRow>({
    ...options,
    // Two connections reach 44,000 rows/s and one 28,000; more only add groups of one row.
    connections: 2,
    write: writeGroup,
    quarantine: quarantineRow,
    bytesOf: (row) => row.bytes,
    maxRows: 256,
    gatherFrom: 4,
    maxBytes: 8 * 1024 * 1024,
    queueRows: 20_000,
    queueBytes: 256 * 1024 * 1024,
    lateAfter: 1_000,
  });
  return {
    admit: () => group.admit(),
    accept: (row) => group.write({ kind: 'accepted', row, bytes: rowBytes }),
    finish(row, payload, accepted) {
      const end: JournalRow = { kind: 'finished', row, payload, bytes: rowBytes + (payload?.length ?? 0) };
      return accepted?.replace(end) ? accepted : group.write(end);
    },
    get waiting() {
      return group.waiting;
    },
    stop: (milliseconds) => group.stop(milliseconds),
  };
}

/** Why runs cannot be recorded now, or null. */
export function faultOf(journal: Journal): string | null {
  try {
    journal.admit();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
