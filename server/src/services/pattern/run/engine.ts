import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Clock } from '#platform/clock.ts';
import type { TextThreads } from '#platform/redact/text-threads.ts';
import type { SchemaWorkers } from '#platform/user-schema/schema-workers.ts';
import type { Reservation } from '../budget/budgets.ts';
import type { ModelRoute } from '../model/model-router.ts';
import type { RunPrivacy } from '../privacy/run-privacy.ts';
import type { Enqueued } from '../queue/task-record.ts';
import type { Journal } from './journal.ts';
import type { LiveRuns } from './live-runs.ts';
import type { Payload, Payloads } from './payloads.ts';
import type { RunPlan } from './plan-run.ts';
import type { AcceptedRow, FinishedRow } from './record.ts';

/** What makes a run the one run of its key. */
export interface RunClaim {
  /**
   * Commits the claim and the acceptance together, before the call goes out. Throws `KeyTaken` when another run has the
   * key, and `unrecorded` when it cannot be told: that run is then recorded as failed. With a task the run is queued in the
   * same commit, and `unavailable` is thrown when it cannot be told: the same request with the same key finds it.
   */
  accept(row: AcceptedRow, queued?: Enqueued): Promise<void>;
}

export interface EngineParts {
  readonly journal: Journal;
  readonly live: LiveRuns;
  readonly payloads: Payloads;
  readonly privacy: RunPrivacy;
  readonly clock: Clock;
  /** Judges answers that must have a form. */
  readonly checks: SchemaWorkers;
  /** Looks through texts for what must not be in them. */
  readonly threads: TextThreads;
  /** Id of this process's life, for taking over what it leaves when it dies. */
  readonly process: string;
  /** Milliseconds that an answer waits for its record before the run is told to be unrecorded. */
  readonly recordWithin: number;
  /** Milliseconds that a stream waits for a reader that takes nothing. */
  readonly readerWithin: number;
  readonly observe: (row: FinishedRow) => void;
  /** What the record says of a run that began at `started`, should others have ended it in the meantime. */
  readonly confirm: (row: FinishedRow, started: number) => FinishedRow | Promise<FinishedRow>;
}

export interface Execution {
  readonly plan: RunPlan;
  readonly route: ModelRoute;
  readonly input: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly strategy: string | null;
  /** Name of the context. */
  readonly background: string | null;
  readonly session: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly onDisconnect: 'cancel' | 'continue';
  readonly timeoutMs: number;
  /** The session that the run goes on with. */
  readonly conversation?: RunConversation;
  /** Present when the run has an Idempotency-Key. */
  readonly claim?: RunClaim;
  /** Present when a budget covers the run; its id is then settled before. */
  readonly reservation?: Reservation;
  readonly id?: string;
  /** What few runs have; each part is left out where there is none. */
  readonly marks?: RunMarks;
  /** What is kept with the run's texts beside them. */
  readonly kept?: Pick<Payload, 'subject' | 'asked'>;
}

/** What lets a run be found, or traced to another one. */
export interface RunMarks {
  readonly subject: string | undefined;
  readonly rerunOf: string | undefined;
  readonly cachedFrom: string | undefined;
}

/** What a run owes to its session. */
export interface RunConversation {
  /** Writes what was said, before the end is recorded; it counts once that end is recorded as a success. */
  append(run: string, output: string): Promise<void>;
  /** Gives the session back after the end was recorded, and before it is told. */
  end(row: FinishedRow): Promise<void>;
}

/** Why a run was ended from here. */
export interface Stop {
  readonly code: ErrorCode;
  readonly detail: string;
}
