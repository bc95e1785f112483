import type { Parameters } from '@damask/contracts/parameters.ts';
import type { DataClass, OnUncertain } from '@damask/contracts/pattern-settings.ts';

/** Where a value comes from. `path` leads into a value: names of fields and indexes of lists. */
export type Reference =
  | { readonly from: 'input' }
  | { readonly from: 'variable'; readonly name: string }
  | { readonly from: 'output'; readonly step: string }
  | { readonly from: 'data'; readonly step: string; readonly path: DataPath }
  | { readonly from: 'item'; readonly path: DataPath }
  | { readonly from: 'index' };

export type DataPath = readonly (string | number)[];

/** What a text is made of: its parts, with an empty line between them. What a reference does not find is left out. */
export type PlannedText = readonly (Reference | { readonly text: string })[];

/** All conditions of a step must hold. Scalars are compared as trimmed texts, `above` and `below` as numbers. */
export interface Condition {
  readonly ref: Reference;
  readonly test: 'equals' | 'not_equals' | 'contains' | 'above' | 'below' | 'exists';
  /** `true` or `false` for `exists`, a number for `above` and `below`, else a text. */
  readonly value: string | number | boolean;
}

/** One version of a pattern, found again by id and number whatever became of its name. */
export interface PinnedVersion {
  readonly pattern: string;
  /** Of the pattern: a deleted one keeps its versions. */
  readonly id: string;
  readonly version: number;
  readonly digest: string;
}

/** What is called for a step, an item or a part: a model with a pattern, or another chain. */
export interface PlannedCall {
  readonly pin: PinnedVersion;
  readonly variables: Readonly<Record<string, PlannedText>>;
  /** What its pattern says about a call that went out and got no verdict. */
  readonly on_uncertain: OnUncertain;
  /** Set where the pattern is a chain: its steps run in place of a call. */
  readonly chain: ChainPlan | null;
}

/** What becomes of a step, or of one item, that failed after all its retries. */
export type OnError = 'fail' | 'skip' | { readonly output: string; readonly data?: unknown };

export interface PlannedStep {
  readonly name: string;
  /** Steps that must have ended before it, by name: from its references and `after`. */
  readonly needs: readonly string[];
  /** Judged once, before anything of the step begins. Where they do not hold, the step is skipped. */
  readonly when: readonly Condition[];
  readonly work: CallWork | ApprovalWork;
}

export interface CallWork {
  readonly kind: 'call';
  readonly call: PlannedCall;
  readonly input: PlannedText;
  /** Never together with `mapReduce`. */
  readonly forEach: ForEach | null;
  readonly mapReduce: MapReduce | null;
  /** Calls after the first of one call, item or part; a pause of `wait_ms` before each. */
  readonly retry: { readonly times: number; readonly wait_ms: number };
  /** Milliseconds of one call, never more than its pattern allows; null: the platform's own. */
  readonly timeout_ms: number | null;
  readonly on_error: OnError;
  /** Goes before the model of the step's pattern. */
  readonly model: string | null;
  /** Goes over those of the step's pattern. */
  readonly parameters: Parameters;
}

/** The step is done once for each entry of a list. */
export interface ForEach {
  readonly list: Reference;
  /** More entries fail the step before any is begun. */
  readonly max_items: number;
  /** Entries under way at once. */
  readonly parallel: number;
  /** Judged for each entry: the conditions that name `$item` or `$index`. */
  readonly when: readonly Condition[];
}

/** A long input is done in parts, whose answers are then merged, in rounds where they are long themselves. */
export interface MapReduce {
  /** Characters of a part, and of what is merged at once. */
  readonly size: number;
  /** Characters that a part repeats of the one before. */
  readonly overlap: number;
  readonly parallel: number;
  /** Merges the answers; its input is several of them with an empty line between. */
  readonly reduce: PlannedCall;
}

/** A person decides. Rejected is failed, unless `on_error` goes on; the output is the comment. */
export interface ApprovalWork {
  readonly kind: 'approval';
  readonly message: PlannedText;
  readonly timeout_seconds: number;
  readonly on_timeout: 'approve' | 'reject';
  readonly on_error: OnError;
}

/** A chain whose versions are all pinned. It is plain data: it lies in the sealed request of its run. */
export interface ChainPlan {
  readonly pin: PinnedVersion;
  /** Each one after all that it needs; names are unique. */
  readonly steps: readonly PlannedStep[];
  /** Of variables that are not given: their defaults, else empty texts. */
  readonly defaults: Readonly<Record<string, string>>;
  /** What the chain answers. */
  readonly output: Reference;
  /** Whether its answer is JSON, and its data thus a value. */
  readonly json: boolean;
  /** The highest of all patterns that it leads to; absent in what was pinned before there were classes. */
  readonly data_class?: DataClass;
}

/** Calls and items that one run may come to, through all its chains: beyond them the step fails. */
export const unitsAllowed = 10_000;
/** Parts that one text may be split into. */
export const partsAllowed = 1_000;
/** Chains within chains: the outermost is the first. */
export const chainLevels = 5;
/** Steps of one chain. */
export const stepsAllowed = 100;
/** Steps of a chain and of all chains within it. */
export const stepsInAll = 1_000;

/** Paths of steps and of what they consist of: `draft`, `sections[3]`, `long/map[0]`, `long/reduce1[0]`, `inner/draft`. */
export const stepPath = (frame: string, name: string): string => (frame === '' ? name : `${frame}/${name}`);
export const itemPath = (step: string, index: number): string => `${step}[${index}]`;
export const mapPath = (step: string, part: number): string => `${step}/map[${part}]`;
/** Rounds count from 1. */
export const reducePath = (step: string, round: number, part: number): string => `${step}/reduce${round}[${part}]`;
