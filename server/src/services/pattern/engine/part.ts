import type { ChainPlan } from '../chain/chain-plan.ts';
import type { StepOutcome } from '../chain/resolve-reference.ts';
import type { CallIntent, StepCall, StepDecision, StepError, StepRecord, StepResult, WaitReason } from './ports.ts';

/** A part of a run that was begun: a call, an approval, a list, a chain. It tells its end once, and not after a cancel. */
export interface Part {
  cancel(): void;
}

/** How a part ended, for what comes after it. Of a call also its record and the answer, where there was one. */
export type PartEnd =
  | { readonly ok: true; readonly outcome: StepOutcome; readonly record?: StepRecord; readonly result?: StepResult }
  | { readonly ok: false; readonly error: StepError; readonly record?: StepRecord; readonly result?: StepResult };

/** Told at once where the end was kept before: also before `begin...` has answered. */
export type Ended = (end: PartEnd) => void;

/** One chain and what it was given. `frame` is the path of the step that it stands in for; empty for the run's own. */
export interface ChainFrame {
  readonly plan: ChainPlan;
  readonly frame: string;
  readonly input: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** What parts ask of the drive that they belong to. */
export interface Host {
  /** The database's time, in milliseconds since 1970. */
  now(): number;
  random(): number;
  /** When the run has to have ended, on the same clock; null: it may take any time. */
  readonly deadline: number | null;
  /** Milliseconds that may pass before another try; undefined: any. */
  readonly patience: number | undefined;
  /** The run is being ended: nothing new may begin. */
  readonly stopping: boolean;
  record(path: string): StepRecord | undefined;
  /** The call of this step that an earlier holder left open; only once. */
  takeLost(path: string): CallIntent | undefined;
  /** Kept with the next commit, which comes before any call that goes out from now on. */
  save(record: StepRecord): void;
  /** Begins a chain in place of a call. */
  chain(frame: ChainFrame, ended: Ended): Part;
  /** One more call or item; false where the run has come to more than it may. */
  count(): boolean;
  /** Goes out once there is room and its intent is kept. */
  call(asked: AskedCall): OpenCall;
  /** Goes on later. */
  park(parked: ParkedStep): OpenCall;
}

export interface AskedCall {
  readonly call: StepCall;
  done(result: StepResult, intent: CallIntent): void;
  /** It did not go out. */
  refused(error: unknown): void;
}

export interface ParkedStep {
  readonly path: string;
  readonly why: WaitReason;
  /** In words, where it is not a person that is waited for. */
  readonly because?: string | null;
  /** When it goes on by itself; null: never. */
  readonly until: number | null;
  /** With a decision, or because its time has come. */
  resume(decision: StepDecision | null): void;
}

export interface OpenCall {
  /** Not begun: forgotten. Out: aborted, and told when it has come back. */
  cancel(): void;
}
