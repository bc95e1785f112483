import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { RunFlag } from '@damask/contracts/guard.ts';
import type { Parameters } from '@damask/contracts/parameters.ts';
import type { Attempt } from '@damask/contracts/run.ts';
import type { Clock } from '#platform/clock.ts';
import type { PinnedVersion } from '../chain/chain-plan.ts';
import type { ModelUsage } from '../model/model-call.ts';

/** All that the engine knows of the world. It reads no database, opens no socket and asks no other clock. */
export interface EnginePorts {
  readonly store: RunStore;
  readonly queue: WorkQueue;
  readonly provider: StepProvider;
  /** For timers and for how long something took; what time it is, the claim says. */
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
  /** Workers that had it before and died with it, since the last end of a step. */
  readonly deliveries: number;
  /** When it was claimed, by the database's clock: milliseconds since 1970. */
  readonly now: number;
  /** When it must have ended, by the same clock, or null. */
  readonly deadline: number | null;
  /** Calls that an earlier holder noted as going out and whose end nobody noted. */
  readonly calling: readonly CallIntent[];
  /** Whether there are records of steps: nobody needs to look for them otherwise. */
  readonly stepped: boolean;
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
  /** What the pinned version says should become of it when nobody knows how it ended. */
  readonly on_uncertain: OnUncertain;
}

export type OnUncertain = 'retry' | 'fail' | 'review';

/** `waiting`: for a person (`until` at most) or for its next attempt (from `until` on). The others are ends. */
export type StepState = 'waiting' | 'succeeded' | 'failed' | 'skipped';

/** What a waiting step waits for. */
export type WaitReason = 'approval' | 'review' | 'retry';

export interface StepError {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** A step as it is kept: its checkpoint once it has ended. Times are milliseconds since 1970 by the database's clock. */
export interface StepRecord {
  /** Empty for a run of one step, which has a record only while it waits. */
  readonly path: string;
  readonly state: StepState;
  readonly pattern: string | null;
  readonly version: number | null;
  readonly model: string | null;
  /** Calls that were begun, with those that were refused before they went out. */
  readonly calls: number;
  readonly attempts: readonly Attempt[];
  readonly usage: ModelUsage;
  /** An uncertain attempt counts as its reserved maximum; null: not known. */
  readonly cost_micros: number | null;
  readonly error: StepError | null;
  /** What the next steps get; of a failed step what arrived until then, of a waiting one what is asked. */
  readonly output: string | null;
  readonly data?: unknown;
  readonly sanitised: boolean;
  /** What checks found in it; left out where they found nothing. */
  readonly flags?: readonly RunFlag[];
  readonly why: WaitReason | null;
  readonly until: number | null;
  /** What was decided while it waited. Only the store writes it, and keeps it until the step waits no more. */
  readonly decision?: StepDecision | null;
  readonly started_at: number;
  readonly finished_at: number | null;
}

export interface StepDecision {
  readonly decision: 'approve' | 'reject' | 'retry' | 'fail';
  readonly comment: string | null;
  /** Who decided. */
  readonly actor: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** How a run ended. */
export interface RunEnd {
  readonly status: 'succeeded' | 'failed' | 'cancelled';
  readonly error: StepError | null;
  readonly stop_reason: string | null;
  readonly output: string;
  readonly data?: unknown;
  /** What answered, or was asked last; empty where nothing was called. */
  readonly model: string;
  readonly usage: ModelUsage;
  readonly cost_micros: number | null;
  /** Of a run of one step. Those of a chain are with its steps. */
  readonly attempts: readonly Attempt[];
  readonly first_output_ms: number | null;
  /** Since its first step began. */
  readonly total_ms: number;
  readonly sanitised: boolean;
  readonly flags?: readonly RunFlag[];
}

/** `lost`: another worker has it, or it has ended; nothing was written, and nothing may be told. */
export type Held = 'held' | 'lost';

/** What is kept in one commit, in place of what was kept before. */
export interface Progress {
  /** Steps that are new or have changed; the others stay as they are. */
  readonly done: readonly StepRecord[];
  /** All calls that are out, or go out next. */
  readonly calling: readonly CallIntent[];
}

/**
 * Where a run's progress becomes durable. Every act is one commit: all of it or nothing is done. An act that throws may have
 * been done or not; it is safe to repeat.
 */
export interface RunStore {
  /** Records of steps, by path in the order in which they began. */
  steps(claim: Claim): Promise<readonly StepRecord[]>;
  checkpoint(claim: Claim, progress: Progress): Promise<Held>;
  /** Keeps the end and the last steps, and removes the work. Repeated after it was done, it answers `lost`. */
  finish(claim: Claim, end: RunEnd, done: readonly StepRecord[]): Promise<Held>;
}

/** How work comes back to the list. What was claimed is nobody's afterwards. */
export interface WorkQueue {
  /** Free for all workers again, at once (null) or from a time on (the database's clock). */
  release(
    claim: Claim,
    options: Progress & {
      readonly readyAt: number | null;
      /** In words, what it waits for. */
      readonly because: string | null;
    },
  ): Promise<Held>;
  /**
   * Holds nothing while a person is waited for; `until` (the database's clock) brings it back without one. It comes back at
   * once where something was decided since the claim.
   */
  wait(claim: Claim, options: Progress & { readonly why: WaitReason; readonly until: number | null }): Promise<Held>;
}

/** What the engine asks a model for: a step whose texts are settled. */
export interface StepCall {
  readonly path: string;
  /** 1 for the first call of this step. */
  readonly number: number;
  /** Pinned at acceptance; null: the run's own pattern. */
  readonly pattern: PinnedVersion | null;
  readonly input: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly model?: string;
  readonly parameters?: Parameters;
  /** Milliseconds until it must have ended; null: what its pattern says, else the platform's own. */
  readonly timeoutMs: number | null;
}

export type StepResult =
  | {
      readonly ok: true;
      readonly output: string;
      readonly data?: unknown;
      readonly stop_reason: string;
      readonly sanitised: boolean;
      readonly flags?: readonly RunFlag[];
      readonly spent: Spent;
    }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly detail: string;
      readonly output: string;
      readonly sanitised: boolean;
      readonly flags?: readonly RunFlag[];
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

export interface PreparedCall extends Pick<CallIntent, 'model' | 'reserved_micros' | 'on_uncertain'> {
  /** Gives back what was reserved, where the call does not go out after all. */
  readonly forgo?: () => void;
}

/** The only way to a model. */
export interface StepProvider {
  /** What a call would be, and cost at most, before it goes out. Throws `AppError` where the step cannot be called. */
  prepare(claim: Claim, call: StepCall): Promise<PreparedCall>;
  /** Goes out. `done` never rejects; it comes soon after an abort, with that code. */
  call(
    claim: Claim,
    call: StepCall,
  ): { readonly done: Promise<StepResult>; abort(code: ErrorCode, detail: string): void };
}
