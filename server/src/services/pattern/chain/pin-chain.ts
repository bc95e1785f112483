import type { ChainStep } from '@damask/contracts/chain.ts';
import { AppError } from '#platform/app-error.ts';
import type { LibraryPattern, LibraryTable, LibraryVersion } from '../library/library-table.ts';
import type {
  ApprovalWork,
  CallWork,
  ChainPlan,
  Condition,
  PlannedCall,
  PlannedStep,
  PlannedText,
} from './chain-plan.ts';
import { faultOfRule } from './check-chains.ts';
import { readParts, readReference } from './parse-reference.ts';
import { type FindTarget, resolveChain } from './resolve-chain.ts';
import type { Resolved, ResolvedChain, ResolvedStep, StepTarget } from './resolved-chain.ts';

/** Whether a version is a chain. */
export const isChain = ({ steps }: Pick<LibraryVersion, 'steps'>): boolean => steps.length > 0;

/**
 * Pins every version that a run of a chain needs, as they are now. Reads memory, except for older versions that steps name by number.
 * Throws `invalid_pattern` where the patterns have changed since the chain was published, so that it cannot run any more.
 */
export async function pinChain(
  library: LibraryTable,
  workspace: string,
  pattern: Pick<LibraryPattern, 'id' | 'name'>,
  version: LibraryVersion,
): Promise<ChainPlan> {
  const find: FindTarget = async (name, rule) => {
    const found = library.find(workspace, name);
    if (!found) return { fault: `there is no pattern ${name} any more` };
    const { version: number, label } = rule;
    const wanted =
      number !== null
        ? await library.version(workspace, name, number)
        : label !== null
          ? found.labels.get(label)
          : found.latest;
    return wanted ? toTarget(found, wanted) : { fault: faultOfRule(name, rule, found.latest.number) };
  };
  const { chain, problems } = await resolveChain(toTarget(pattern, version), find);
  const [first] = problems;
  if (!first) return planOf(chain);
  throw new AppError(
    'invalid_pattern',
    `The chain cannot run as its patterns are now: ${first.detail}. Publish the chain again, or change the pattern.`,
    { pointer: '/pattern', problems: problems.slice(0, 20).map(({ detail }) => ({ pointer: '/pattern', detail })) },
  );
}

function toTarget({ id, name }: Pick<LibraryPattern, 'id' | 'name'>, version: LibraryVersion): StepTarget {
  const { number, digest, variables, output, on_uncertain, limits, disabledCapabilities: disabled, steps } = version;
  const { data_class, store } = version;
  const pin = { pattern: name, id, version: number, digest };
  return { pin, variables, output, on_uncertain, limits, data_class, store, disabled, steps };
}

function planOf({ pin, variables, steps, output, answer, data_class }: ResolvedChain): ChainPlan {
  const left = variables.filter(({ required }) => !required);
  return {
    pin,
    defaults: Object.fromEntries(left.map((rule) => [rule.name, rule.default ?? ''])),
    steps: steps.map(planStep),
    output: readReference(output),
    json: answer.type === 'json',
    data_class,
  };
}

function planStep({ step, runs, merges }: ResolvedStep): PlannedStep {
  const conditions = step.when.map(({ ref, test, value }): Condition => ({ ref: readReference(ref), test, value }));
  const perItem = ({ ref }: Condition) => ref.from === 'item' || ref.from === 'index';
  return {
    name: step.name,
    needs: step.needs,
    when: conditions.filter((each) => !perItem(each)),
    work: runs ? planCallWork(step, runs, merges, conditions.filter(perItem)) : planApproval(step),
  };
}

function planCallWork(
  step: ChainStep,
  runs: Resolved,
  merges: Resolved | undefined,
  perItem: readonly Condition[],
): CallWork {
  const { for_each, map_reduce, max_items, parallel, retry, on_error, model, parameters } = step;
  const most = Math.min(
    step.timeout_ms ?? Number.POSITIVE_INFINITY,
    runs.chain ? Number.POSITIVE_INFINITY : (runs.target.limits.timeout_ms ?? Number.POSITIVE_INFINITY),
  );
  return {
    kind: 'call',
    call: planCall(runs, step.variables),
    input: readParts(step.input),
    forEach: for_each === null ? null : { list: readReference(for_each), max_items, parallel, when: perItem },
    mapReduce:
      map_reduce && merges
        ? {
            size: map_reduce.size,
            overlap: map_reduce.overlap,
            parallel,
            reduce: planCall(merges, map_reduce.reduce.variables),
          }
        : null,
    retry,
    timeout_ms: most === Number.POSITIVE_INFINITY ? null : most,
    on_error,
    model,
    parameters,
  };
}

function planCall({ target, chain }: Resolved, variables: ChainStep['variables']): PlannedCall {
  return {
    pin: target.pin,
    variables: Object.fromEntries(
      Object.entries(variables).map(([name, parts]): [string, PlannedText] => [name, readParts(parts)]),
    ),
    on_uncertain: target.on_uncertain,
    chain: chain && planOf(chain),
  };
}

function planApproval({ name, approval, on_error }: ChainStep): ApprovalWork {
  if (!approval) throw new Error(`The step ${name} has neither a pattern nor an approval`);
  const { message, timeout_seconds, on_timeout } = approval;
  return { kind: 'approval', message: readParts(message), timeout_seconds, on_timeout, on_error };
}
