import type { ChainPlan, PlannedCall } from './chain-plan.ts';
import { stepPath } from './chain-plan.ts';

export interface PinnedStep {
  readonly path: string;
  /** Null for an approval, as the version. */
  readonly pattern: string | null;
  readonly version: number | null;
  readonly needs: string[];
}

/** All steps of a pinned chain, each before the steps of a chain that it runs. */
export function listPinnedSteps(plan: ChainPlan, frame = ''): PinnedStep[] {
  return plan.steps.flatMap(({ name, needs, work }) => {
    const path = stepPath(frame, name);
    const at = { path, needs: needs.map((need) => stepPath(frame, need)) };
    if (work.kind === 'approval') return [{ ...at, pattern: null, version: null }];
    const merge = work.mapReduce ? listCall(`${path}/reduce`, work.mapReduce.reduce, []) : [];
    return [...listCall(path, work.call, at.needs), ...merge];
  });
}

/** Models that steps name, also those of inner chains. */
export function listModels({ steps }: ChainPlan): string[] {
  return steps.flatMap(({ work }) => {
    if (work.kind === 'approval') return [];
    const inner = [work.call.chain, work.mapReduce?.reduce.chain].flatMap((chain) => (chain ? listModels(chain) : []));
    return work.model === null ? inner : [work.model, ...inner];
  });
}

function listCall(path: string, { pin, chain }: PlannedCall, needs: string[]): PinnedStep[] {
  const own = { path, pattern: pin.pattern, version: pin.version, needs };
  return [own, ...(chain ? listPinnedSteps(chain, path) : [])];
}
