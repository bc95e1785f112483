import type { OnError } from './chain-plan.ts';
import type { StepOutcome } from './resolve-reference.ts';

export const skipped: StepOutcome = { output: null };

/**
 * The outcome of a step from those of its items: their outputs with an empty line between them, and a list with one
 * entry for each item, null for what was skipped.
 */
export function combineItems(items: readonly StepOutcome[]): StepOutcome {
  const outputs = items.map(({ output }) => output).filter((output) => output !== null);
  return {
    output: outputs.join('\n\n'),
    data: items.map(({ output, data }) => (output === null ? null : data === undefined ? output : data)),
  };
}

/** What a failed step counts as. Undefined: the run fails. */
export function outcomeOfFailure(onError: OnError): StepOutcome | undefined {
  if (onError === 'fail') return undefined;
  return onError === 'skip' ? skipped : onError;
}

/** The decision on an approval, as later steps see it. */
export interface ApprovalDecision {
  readonly decision: 'approve' | 'reject';
  readonly comment: string;
  /** Who decided; null: nobody did in time. */
  readonly by: string | null;
}

/**
 * The outcome of an approval. Undefined: it was rejected, and the run fails. A rejection that the chain goes on from is
 * not skipped: what comes after may ask for the decision.
 */
export function outcomeOfApproval(decided: ApprovalDecision, onError: OnError): StepOutcome | undefined {
  if (decided.decision === 'approve') return { output: decided.comment, data: decided };
  if (onError === 'fail') return undefined;
  return { output: onError === 'skip' ? decided.comment : onError.output, data: decided };
}
