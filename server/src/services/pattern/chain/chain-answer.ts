import type { ChainPlan } from './chain-plan.ts';
import { type ChainScope, resolveReference, type StepOutcome, toText } from './resolve-reference.ts';

/** What a chain whose steps have ended answers. Nothing where its last step was skipped. */
export function chainAnswer({ output, json }: ChainPlan, scope: ChainScope): StepOutcome & { readonly output: string } {
  const value = resolveReference(output, scope);
  const text = toText(value);
  if (!json) return { output: text };
  return { output: text, data: output.from === 'output' ? scope.steps.get(output.step)?.data : value };
}
