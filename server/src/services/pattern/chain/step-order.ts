import type { PlannedStep } from './chain-plan.ts';

/** What an order is made from. */
export interface Ordered {
  readonly name: string;
  readonly needs: readonly string[];
}

/**
 * Steps in an order in which each follows all that it needs, as written otherwise; or a circle as the names that lead around it,
 * the first one again at the end. Needs that are no steps do not count.
 */
export function orderSteps<Step extends Ordered>(
  steps: readonly Step[],
): { readonly steps: readonly Step[] } | { readonly circle: readonly string[] } {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const done = new Set<string>();
  const ordered: Step[] = [];
  const path: string[] = [];
  const visit = (step: Step): readonly string[] | undefined => {
    if (done.has(step.name)) return undefined;
    const begun = path.indexOf(step.name);
    if (begun !== -1) return [...path.slice(begun), step.name];
    path.push(step.name);
    for (const name of step.needs) {
      const needed = byName.get(name);
      const circle = needed && visit(needed);
      if (circle) return circle;
    }
    path.pop();
    done.add(step.name);
    ordered.push(step);
    return undefined;
  };
  for (const step of steps) {
    const circle = visit(step);
    if (circle) return { circle };
  }
  return { steps: ordered };
}

/** Steps that can begin: not begun yet, and all that they need has ended. */
export function readySteps(
  steps: readonly PlannedStep[],
  begun: { has(name: string): boolean },
  ended: { has(name: string): boolean },
): PlannedStep[] {
  return steps.filter(({ name, needs }) => !begun.has(name) && needs.every((need) => ended.has(need)));
}
