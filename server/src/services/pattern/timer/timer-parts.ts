import type { TimerRun } from '@damask/contracts/timer.ts';
import type { CallContext } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Cursors } from '#platform/cursor.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import type { Trail } from '#platform/trail.ts';
import type { Vault } from '#platform/vault.ts';
import type { StoppedActors } from '../queue/stopped-actors.ts';

/** What timers are built from. */
export interface TimerParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly cursors: Cursors;
  readonly trail: Trail;
  readonly vault: Vault;
  readonly runs: QueuedRuns;
  readonly stopped: Pick<StoppedActors, 'refusal'>;
}

/** How a tick starts a run. */
export interface QueuedRuns {
  /** Finds out all that can be wrong with a request, and pins its version. Errors: those of `createRun`. */
  plan(context: CallContext, request: TimerRun): Promise<PlannedRun>;
  /** Whether what a tick of the transaction's workspace started has not ended. */
  isOpen(transaction: Transaction, started: Started): Promise<boolean>;
}

/** What a tick started: one of the two. */
export interface Started {
  readonly run: string | null;
  readonly batch: string | null;
}

/** A run, or a batch. */
export interface PlannedRun {
  readonly kind: 'run' | 'batch';
  readonly id: string;
  /** Accepts it in the caller's transaction. */
  accept(transaction: Transaction): Promise<void>;
  /** Tells the workers, once that is committed. */
  announce(): void;
}

/** A transaction that sees the caller's workspace. */
export function inWorkspace<Result>(
  { database }: Pick<TimerParts, 'database'>,
  workspace: string,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  return database.transaction({ role: 'pattern', workspace }, work);
}
