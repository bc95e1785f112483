import type { Claim, RunEnd, StepError, StepProvider } from '../engine/ports.ts';
import type { Drive, Work } from '../engine/work.ts';
import type { FinishedRow } from '../run/record.ts';
import type { HeldTask } from './task-record.ts';

/** The record of an end, with its sealed texts. */
export interface TaskRecord {
  readonly row: FinishedRow;
  readonly payload: Buffer | null;
}

/** What a worker needs of runs: what a claimed one asks for, the way to models, and the record of its end. */
export interface TaskRuns {
  readonly provider: StepProvider;
  toRecord(claim: Claim, end: RunEnd): Promise<TaskRecord>;
  /** Errors: `unavailable` when the request cannot be decrypted. */
  open(task: HeldTask): Promise<OpenedTask>;
}

/** A claimed run whose request is open. `close` must come once it is let go. */
export interface OpenedTask {
  readonly work: Work;
  /** Why it must not be begun, or gone on with. */
  readonly refused?: StepError | undefined;
  begin(drive: Drive): void;
  /** `ended`: the record of its end is committed. */
  close(ended: boolean): void;
}
