import type { ChainStep } from '@damask/contracts/chain.ts';
import type { DataClass, OnUncertain, PatternSettings, StoreTexts } from '@damask/contracts/pattern-settings.ts';
import type { VariableRule } from '../template/variables.ts';
import type { PinnedVersion } from './chain-plan.ts';

/** A version that a step runs. */
export interface StepTarget {
  readonly pin: PinnedVersion;
  readonly variables: readonly VariableRule[];
  readonly output: PatternSettings['output'];
  readonly on_uncertain: OnUncertain;
  readonly limits: PatternSettings['limits'];
  readonly data_class: DataClass;
  readonly store: StoreTexts;
  /** Tokens that need a capability that is off: no run of it is accepted. */
  readonly disabled: readonly string[];
  /** Empty where it is no chain. */
  readonly steps: readonly ChainStep[];
}

/** What a pattern or chain answers. */
export type Answer = Pick<PatternSettings['output'], 'type' | 'schema'>;

/** A target with what is in it. */
export interface Resolved {
  readonly target: StepTarget;
  /** Null: a model is called. */
  readonly chain: ResolvedChain | null;
  readonly answer: Answer;
}

export interface ResolvedStep {
  readonly step: ChainStep;
  /** Undefined: an approval, or it was not found. */
  readonly runs: Resolved | undefined;
  readonly merges: Resolved | undefined;
}

export interface ResolvedChain {
  readonly pin: PinnedVersion;
  readonly variables: readonly VariableRule[];
  readonly steps: readonly ResolvedStep[];
  readonly output: string;
  readonly answer: Answer;
  /** The highest of all patterns that it leads to. */
  readonly data_class: DataClass;
  /** Chains within each other, itself among them. */
  readonly levels: number;
  /** Steps with those of all chains within. */
  readonly total: number;
}

/** What is wrong in a chain: `place` as in `WrittenChain.lines`, such as `summary/variables/tone`. */
export interface ChainProblem {
  readonly place: string;
  readonly detail: string;
}
