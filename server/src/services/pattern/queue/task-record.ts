import type { RunPriority } from '@damask/contracts/run.ts';
import type { CallIntent, Claim, StepRecord } from '../engine/ports.ts';
import type { AcceptedRow, FinishedRow } from '../run/record.ts';

/** Work for the list: one run that is executed later. Times are RFC 3339. */
export interface NewTask {
  readonly lane: RunPriority;
  /** From -10 to 10; the higher one goes first within its lane. */
  readonly priority: number;
  /** For limits of concurrency: what is called, and `provider/model`; both empty where the calls differ, as those of a chain. */
  readonly provider: string;
  readonly model: string;
  readonly batch: string | null;
  /** Not before this time; null: at once. */
  readonly ready_at: string | null;
  readonly deadline: string | null;
  /** Sealed: what is to be run. */
  readonly request: Buffer;
}

/** A run to be accepted with its work. */
export interface Enqueued {
  readonly row: AcceptedRow;
  readonly task: NewTask;
  /** The process that takes it in hand in the same commit; null: whoever comes first. */
  readonly owner: string | null;
}

/** A run in this process's hands, with what is needed to run it. */
export interface HeldTask {
  readonly claim: Claim;
  readonly row: AcceptedRow;
  readonly lane: RunPriority;
  /** Sealed. */
  readonly request: Buffer;
}

/** What becomes of work that goes on, in one commit with what is kept of it. */
export interface TaskChange {
  readonly claim: Claim;
  /** `running`: it stays in its holder's hands. */
  readonly state: 'running' | 'queued' | 'waiting';
  /** RFC 3339, `now` or `infinity`; of no account while it stays in hand. */
  readonly ready_at: string;
  readonly why: string | null;
  readonly done: readonly StepRecord[];
  readonly calling: readonly CallIntent[];
}

/** The end of queued work. */
export interface TaskEnd {
  /** Null: only if nobody has it in hand. */
  readonly token: bigint | null;
  readonly row: FinishedRow;
  readonly payload: Buffer | null;
  readonly done: readonly StepRecord[];
}
