import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Attempt } from '@damask/contracts/run.ts';
import type { Clock } from '#platform/clock.ts';
import type { ModelUsage } from '../model/model-call.ts';

/** All that the engine knows of the world. It reads no database, opens no socket and asks no other clock. */
export interface EnginePorts {
  readonly store: RunStore;
  readonly queue: WorkQueue;
  readonly provider: StepProvider;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** A run in this worker's hands. Whatever is written for it names its token: a later holder has a larger one. */
export interface Claim {
  readonly workspace: string;
  /** The run. */
  readonly id: string;
  readonly token: bigint;
  /** Workers that had it before and died with it. */
  readonly deliveries: number;
  /** Milliseconds since 1970, by the database's clock, or null. */
  readonly deadline: number | null;
  /** Calls that an earlier holder noted as going out and whose end nobody noted. */
  readonly calling: readonly CallIntent[];
  /** Attempts that earlier holders lost: each ended `uncertain`. */
  readonly lost: readonly Attempt[];
}

/** A call that is about to go out. It is committed before it does. */
export interface CallIntent {
  /** Path of the step; empty for a run of one step. */
  readonly step: string;
  /** 1 for the first call of this step. */
  readonly number: number;
  readonly model: string;
  /** What it may cost at most, in millionths; null where the price is not known. */
  readonly reserved_micros: number | null;
}

export type StepState = 'calling' | 'succeeded' | 'failed' | 'skipped' | 'waiting';

/** A step as it is kept: its checkpoint once it has ended. */
export interface StepRecord {
  readonly path: string;
  readonly state: StepState;
  readonly pattern: string | null;
  readonly version: number | null;
  readonly model: string | null;
  readonly attempts: readonly Attempt[];
  readonly usage: ModelUsage;
  readonly cost_micros: number | null;
  readonly error: { readonly code: ErrorCode; readonly detail: string } | null;
  /** What the next steps get: sanitised already. */
  readonly output: string | null;
  readonly data?: unknown;
  /** What a waiting step waits for. */
  readonly why: string | null;
  /** RFC 3339. */
  readonly started_at: string;
  readonly finished_at: string | null;
}

/** How a run ended. */
export interface RunEnd {
  readonly status: 'succeeded' | 'failed' | 'cancelled';
  readonly error: { readonly code: ErrorCode; readonly detail: string } | null;
  readonly stop_reason: string | null;
  readonly output: string;
  readonly data?: unknown;
  readonly model: string;
  readonly usage: ModelUsage;
  readonly cost_micros: number | null;
  readonly attempts: readonly Attempt[];
  readonly first_output_ms: number | null;
  readonly total_ms: number;
  readonly sanitised: boolean;
}

/** `lost`: another worker has it, or it has ended; nothing was written, and nothing may be told. */
export type Held = 'held' | 'lost';

/** Where a run's progress becomes durable. Every act is one commit, and all of it or nothing is done. */
export interface RunStore {
  /** Steps with a record, in the order in which they began; none for a run of one step. */
  steps(claim: Claim): Promise<readonly StepRecord[]>;
  /** Keeps the ends of steps and notes the calls that go out next, in place of those noted before. */
  checkpoint(claim: Claim, done: readonly StepRecord[], calling: readonly CallIntent[]): Promise<Held>;
  /** Keeps the end and removes the work. */
  finish(claim: Claim, end: RunEnd): Promise<Held>;
}

/** How work comes back to the list. */
export interface WorkQueue {
  /** Free for all workers again, at once or from a time on (milliseconds since 1970). What was noted as calling is gone. */
  release(claim: Claim, options: { readonly readyAt: number | null; readonly lost: readonly Attempt[] }): Promise<Held>;
  /** Holds nothing while a person is waited for; `until` (milliseconds since 1970) brings it back without one. */
  wait(claim: Claim, options: { readonly why: string; readonly until: number | null }): Promise<Held>;
}

/** What the engine asks a model for: a step whose texts are settled. */
export interface StepCall {
  readonly path: string;
  readonly input: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Milliseconds until it must have ended. */
  readonly timeoutMs: number;
}

export type StepResult =
  | {
      readonly ok: true;
      readonly output: string;
      readonly data?: unknown;
      readonly stop_reason: string;
      readonly sanitised: boolean;
      readonly spent: Spent;
    }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly detail: string;
      readonly output: string;
      readonly sanitised: boolean;
      readonly retryAfterSeconds?: number;
      readonly spent: Spent;
    };

/** What the calls of a step took. */
export interface Spent {
  readonly model: string;
  readonly attempts: readonly Attempt[];
  readonly usage: ModelUsage;
  readonly cost_micros: number | null;
  readonly first_output_ms: number | null;
}

/** The only way to a model. */
export interface StepProvider {
  /** What a call would be, and cost at most, before it goes out. Throws `AppError` where the step cannot be called. */
  prepare(claim: Claim, call: StepCall): Promise<{ readonly model: string; readonly reserved_micros: number | null }>;
  call(
    claim: Claim,
    call: StepCall,
  ): { readonly done: Promise<StepResult>; abort(code: ErrorCode, detail: string): void };
}
