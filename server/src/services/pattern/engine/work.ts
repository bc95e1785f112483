import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { ChainPlan } from '../chain/chain-plan.ts';
import type { RunEnd, StepState } from './ports.ts';

/** What a claimed run asks for: its sealed request, opened. */
export type Work = (PlainWork | ChainWork) & {
  readonly input: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Milliseconds that it waits for another try at most; undefined: as long as its deadline allows. */
  readonly patience?: number;
  /** Told after it was kept, in the order in which it came to be; nothing is told for a run that was lost. */
  readonly changed?: (path: string, state: StepState | 'running') => void;
  /** Told once nothing is called any more: only what is kept last is still to be written. */
  readonly leaving?: () => void;
};

/** One call with the run's own pattern. */
export interface PlainWork {
  readonly kind: 'plain';
  /** Milliseconds that the call may take; null: what its pattern says, else the platform's own. */
  readonly timeoutMs: number | null;
}

export interface ChainWork {
  readonly kind: 'chain';
  readonly plan: ChainPlan;
}

/** A claimed run under way. */
export interface Drive {
  /**
   * Comes once this worker holds the run no more. Rejects when the store failed for half a minute: what was kept is then not
   * known, so the worker gives the run up as if it had died with it.
   */
  readonly done: Promise<DriveEnd>;
  /** Ends the run with this code: `run_cancelled` makes it cancelled. What is out is aborted first. */
  stop(code: ErrorCode, detail: string): void;
  /** Gives the run back at once, for a process that stops. Calls that are out are aborted and count as uncertain. */
  handBack(): void;
  /** Something was decided about a step: look. */
  decided(): void;
  /** Another worker has it: aborts what is out, and writes nothing. */
  drop(): void;
}

/** `lost`: it may have ended here and the reply got lost; the record of the run tells. */
export type DriveEnd =
  | { readonly kind: 'ended'; readonly end: RunEnd }
  | { readonly kind: 'released' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'lost' };
