import type { ChainStep } from '@damask/contracts/chain.ts';
import { higherClass } from '../privacy/data-class.ts';
import { chainLevels, stepsInAll } from './chain-plan.ts';
import { checkLinks } from './check-links.ts';
import type { Fault } from './parse-reference.ts';
import type { ChainProblem, Resolved, ResolvedChain, ResolvedStep, StepTarget } from './resolved-chain.ts';

/** Which version of a pattern a step means; both null: the newest. */
export type VersionRule = Pick<ChainStep, 'version' | 'label'>;
export type FindTarget = (pattern: string, rule: VersionRule) => Promise<StepTarget | Fault>;

/**
 * Looks up what a chain's steps run, and what the steps of chains within it run, and checks that all of it fits together. Each version
 * is looked at once; a chain that is too deep, too large or leads back to itself costs no more than one that is not.
 */
export async function resolveChain(
  root: StepTarget,
  find: FindTarget,
): Promise<{ readonly chain: ResolvedChain; readonly problems: readonly ChainProblem[] }> {
  const done = new Map<string, ResolvedChain | Fault>();
  let seen = 0;

  async function resolveSteps(target: StepTarget, open: readonly string[]) {
    const { pin, steps: written, output, variables } = target;
    const path = [...open, pin.pattern];
    const problems: ChainProblem[] = [];
    const steps: ResolvedStep[] = [];
    const look = async (step: ChainStep, field: string, pattern: string, rule: VersionRule) => {
      const found = await find(pattern, rule);
      const resolved = 'fault' in found ? found : await resolveTarget(found, path);
      if (!('fault' in resolved)) return resolved;
      problems.push({ place: `${step.name}/${field}`, detail: `the step ${step.name}: ${resolved.fault}` });
      return undefined;
    };
    for (const step of written) {
      if (++seen > stepsInAll) {
        problems.push({ place: step.name, detail: tooMany });
        break;
      }
      const reduce = step.map_reduce?.reduce;
      steps.push({
        step,
        runs: step.pattern === null ? undefined : await look(step, 'pattern', step.pattern, step),
        merges: reduce ? await look(step, 'map_reduce', reduce.pattern, reduce) : undefined,
      });
    }
    const linked = checkLinks({ variables, output: output.from ?? '$input' }, steps);
    const inner = steps.flatMap(({ runs, merges }) => [runs?.chain, merges?.chain]).filter((each) => each != null);
    const total = inner.reduce((sum, chain) => sum + chain.total, steps.length);
    if (total > stepsInAll && problems.length === 0) problems.push({ place: 'steps', detail: tooMany });
    const levels = 1 + Math.max(0, ...inner.map((chain) => chain.levels));
    const used = steps.flatMap(({ runs, merges }) => [runs, merges]).filter((each) => each !== undefined);
    const data_class = used.reduce(
      (highest, each) => higherClass(highest, each.chain?.data_class ?? each.target.data_class),
      target.data_class,
    );
    const from = output.from ?? '$input';
    const chain: ResolvedChain = {
      pin,
      variables,
      steps,
      output: from,
      answer: linked.answer,
      data_class,
      levels,
      total,
    };
    return { chain, problems: [...problems, ...linked.problems] };
  }

  async function resolveTarget(target: StepTarget, path: readonly string[]): Promise<Resolved | Fault> {
    if (target.store === 'none') return { fault: unstored(target.pin.pattern) };
    if (target.steps.length === 0) return { target, chain: null, answer: target.output };
    const chain = await resolveInner(target, path);
    return 'fault' in chain ? chain : { target, chain, answer: chain.answer };
  }

  async function resolveInner(target: StepTarget, path: readonly string[]): Promise<ResolvedChain | Fault> {
    const { pattern, version } = target.pin;
    const whole = [...path, pattern].join(' → ');
    const key = `${pattern}@${version}`;
    const known = done.get(key);
    if (known && 'fault' in known) return known;
    if (known) return path.length + known.levels > chainLevels ? { fault: tooDeep(whole) } : known;
    if (opened.has(key)) return { fault: `the chain leads back to itself: ${whole}` };
    if (path.length === chainLevels) return { fault: tooDeep(whole) };
    opened.add(key);
    const { chain, problems } = await resolveSteps(target, path);
    opened.delete(key);
    const [first] = problems;
    const result = first ? { fault: faultWithin(pattern, first.detail) } : chain;
    done.set(key, result);
    return result;
  }

  const opened = new Set([`${root.pin.pattern}@${root.pin.version}`]);
  return resolveSteps(root, []);
}

const unstored = (pattern: string) =>
  `${pattern} says store: none, and a chain goes on from what its steps have said; run it by itself`;
const tooMany = `the chain and the chains within it have more than ${stepsInAll} steps`;
const tooDeep = (path: string) => `chains reach more than ${chainLevels} levels deep: ${path}`;

// What leads around or too deep is a path already, and says where it is.
const faultWithin = (pattern: string, detail: string) => {
  const path = detail.replace(/^(?:the step [^:]+: )+/, '');
  return path.startsWith('chain') || path.startsWith('the chain') ? path : `in the chain ${pattern} ${detail}`;
};
