import type { CallIntent } from '../engine/ports.ts';
import type { ModelRouter } from '../model/model-router.ts';
import type { ModelWish } from '../routing/wish.ts';
import type { RunPlan } from './plan-run.ts';
import { type LimitParts, mostOfExecution } from './reserve-run.ts';

/**
 * What the call of a run will be, as far as it is known when the run is accepted: then its note needs no commit of its own.
 * Where it turns out to be another one, it is noted as that one before it goes out.
 */
export function planFirstCall(
  { router, ...limits }: Pick<LimitParts, 'defaultMaxTokens' | 'clock'> & { readonly router: ModelRouter },
  workspace: string,
  plan: RunPlan,
  wish: ModelWish | null,
  models: readonly string[],
): CallIntent | null {
  const { version } = plan;
  // Perhaps nobody is called.
  if (version.cache !== null) return null;
  const inOrder: ModelWish = {
    fallbacks: [],
    ...wish,
    models: models.map((name) => ({ name, weight: 1 })),
    inOrder: true,
  };
  const candidates = router.candidates(workspace, inOrder);
  const [first] = candidates;
  if (first === undefined) return null;
  const { micros } = mostOfExecution(limits, {
    plan,
    route: { candidates, repeatUncertain: inOrder.repeatUncertain === true },
  });
  return { step: '', number: 1, model: first.name, reserved_micros: micros, on_uncertain: version.on_uncertain };
}
