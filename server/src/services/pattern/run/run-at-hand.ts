import type { Reservation } from '../budget/budgets.ts';
import type { Claim } from '../engine/ports.ts';
import type { ModelRoute } from '../model/model-router.ts';
import type { SealedEnd } from './end-queued-run.ts';
import type { ChangedStep, LiveRun } from './live-runs.ts';
import type { OutputText } from './output-text.ts';
import type { RunPlan } from './plan-run.ts';
import type { QueuedRequest } from './queued-request.ts';
import type { AcceptedRow } from './record.ts';
import type { FormedResult } from './structured-output.ts';

/** A queued run that this process executes. */
export interface RunAtHand {
  readonly claim: Claim;
  readonly row: AcceptedRow;
  readonly request: QueuedRequest;
  /** Of a batch: nobody is waiting to read along. */
  readonly bulk: boolean;
  /** Calls that may go out, by the path of their step. */
  readonly prepared: Map<string, PreparedStep>;
  readonly live: QueuedLive;
  /** What the run's own call ended with; the engine keeps of it only what chains need. */
  answer: FormedResult | undefined;
  /** The run whose answer was taken in place of a call. */
  cachedFrom: string | undefined;
  /** How often what was taken out of answers. */
  readonly redacted: Record<string, number>;
  /** Its record, while it is being written. */
  end: SealedEnd | undefined;
  /** Where and for how long its answer is kept for others who ask the same. */
  keep: { readonly key: string; readonly seconds: number } | undefined;
}

/** What can be followed of it. Another attempt begins another text. */
export interface QueuedLive extends LiveRun {
  output: OutputText;
  readonly steps?: ChangedStep[];
}

/** All that a call needs, looked up before it goes out. */
export interface PreparedStep {
  readonly plan: RunPlan;
  readonly route: ModelRoute;
  readonly timeoutMs: number;
  /** Taken of its budgets until it has ended. */
  readonly reservation?: Reservation;
}

/** Runs by claim: the same run may be claimed again while its earlier claim is not let go yet. */
export interface RunsAtHand {
  add(run: RunAtHand): void;
  remove(run: RunAtHand): void;
  /** Throws where this process does not have it: the claim was let go. */
  of(claim: Claim): RunAtHand;
}

export function createRunsAtHand(): RunsAtHand {
  const runs = new Map<string, RunAtHand>();
  const keyOf = ({ workspace, id, token }: Claim) => `${workspace} ${id} ${token}`;
  return {
    add: (run) => void runs.set(keyOf(run.claim), run),
    remove: (run) => void runs.delete(keyOf(run.claim)),
    of(claim) {
      const run = runs.get(keyOf(claim));
      if (!run) throw new Error('A run was to be gone on with that this process does not have in hand');
      return run;
    },
  };
}
