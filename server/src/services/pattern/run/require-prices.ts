import type { CallContext } from '#platform/call.ts';
import type { Budgets } from '../budget/budgets.ts';
import type { ModelRouter } from '../model/model-router.ts';
import type { ModelWish } from '../routing/wish.ts';
import type { RunPlan } from './plan-run.ts';

/**
 * Refuses what could never be called: a model without a price under a limit of money. Who waits is told before the call;
 * who queues a run, before it is accepted. Errors: `price_unknown`.
 */
export function requirePrices(
  { budgets, router }: { readonly budgets: Budgets; readonly router: ModelRouter },
  { workspace, actor }: CallContext,
  { pattern, environment }: Pick<RunPlan, 'pattern' | 'environment'>,
  wish: ModelWish | null,
): void {
  if (!budgets.limits(workspace)) return;
  const scope = { workspace, key: actor.id, patterns: [pattern], environment };
  budgets.requirePrices(scope, () => router.candidates(workspace, wish));
}
