import type { ModelPort } from '../model/model-call.ts';
import type { Gate } from './gate.ts';
import type { ModelFacts } from './model-facts.ts';

/** A model that a run may be sent to. */
export interface Candidate {
  /** `provider/model` */
  readonly name: string;
  readonly model: string;
  readonly facts: ModelFacts;
  readonly gate: Gate;
  /** Null until it is opened: a key must be unsealed, a local model started. */
  readonly port: ModelPort | null;
  /** Throws an `AppError` when it cannot be reached at all. */
  open(): Promise<ModelPort>;
}
