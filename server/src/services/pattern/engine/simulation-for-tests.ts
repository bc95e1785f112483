import type { ChainPlan, PlannedStep, PlannedText, Reference } from '../chain/chain-plan.ts';
import { unknownUsage } from '../model/model-call.ts';
import { approvalStep, callStep, chainOf, dataOf, outputOf, plannedCall } from './chains-for-tests.ts';
import { price, priceOfFailure, reservedPrice } from './crash-world-for-tests.ts';
import type { StepResult } from './ports.ts';

/** Numbers that are the same for the same seed. */
export interface Dice {
  /** From 0 to below 1. */
  roll(): number;
  /** Whether what happens so often happens now. */
  chance(share: number): boolean;
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number;
  pick<Value>(values: readonly Value[]): Value;
}

/** Mulberry32, by Tommy Ettinger (public domain). */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  const roll = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (least: number, most: number) => least + Math.floor(roll() * (most - least + 1));
  return {
    roll,
    between,
    chance: (share) => roll() < share,
    pick: (values) => values[between(0, values.length - 1)] as (typeof values)[number],
  };
}

const input: Reference = { from: 'input' };

/** A chain of one to five steps of all kinds. */
export function rollChain(dice: Dice, depth = 1): ChainPlan {
  const steps: PlannedStep[] = [];
  const count = dice.between(1, depth > 1 ? 2 : 5);
  for (let at = 0; at < count; at++) steps.push(rollStep(dice, `s${at}`, steps, depth));
  return chainOf('chain', steps, outputOf(dice.pick(steps).name));
}

function rollStep(dice: Dice, name: string, before: readonly PlannedStep[], depth: number): PlannedStep {
  const earlier = before.length > 0 && dice.chance(0.7) ? dice.pick(before).name : undefined;
  const text: PlannedText =
    earlier === undefined ? [input] : dice.chance(0.5) ? [outputOf(earlier)] : [input, outputOf(earlier)];
  const onError = dice.pick(['fail', 'fail', 'skip', { output: 'value' }] as const);
  const kind = dice.between(0, 9);
  if (kind === 0) return approvalStep(name, text, { on_error: onError, timeout_seconds: dice.pick([20, 90_000]) });
  const retry = { times: dice.between(0, 2), wait_ms: dice.pick([0, 300, 4_000]) };
  const shared = { retry, on_error: onError };
  if (kind === 1 && earlier !== undefined) {
    const forEach = { list: dataOf(earlier), max_items: 9, parallel: dice.between(1, 3), when: [] };
    return callStep(name, [{ from: 'item', path: [] }], { ...shared, forEach });
  }
  if (kind === 2) {
    const mapReduce = { size: 14, overlap: 0, parallel: 2, reduce: plannedCall('merge') };
    return callStep(name, [{ text: 'first part. ' }, ...text], { ...shared, mapReduce });
  }
  if (kind === 3 && depth < 3)
    return callStep(name, text, { ...shared, call: plannedCall(name, rollChain(dice, depth + 1)) });
  const step = callStep(name, text, shared);
  if (earlier === undefined || !dice.chance(0.2)) return step;
  return { ...step, when: [{ ref: outputOf(earlier), test: 'exists', value: dice.chance(0.8) }] };
}

/** What a provider makes of a call. */
export function rollAnswer(dice: Dice, output: string): StepResult {
  const fate = dice.between(0, 11);
  if (fate === 0) return failure('provider_error', 'failed');
  if (fate === 1) return failure('timeout', 'uncertain');
  if (fate === 2) return { ...failure('provider_busy', 'failed'), retryAfterSeconds: dice.between(0, 40) };
  const data = Array.from({ length: dice.between(0, 3) }, (_, at) => ['one', 'two', 'three'][at]);
  return { ok: true, output, data, stop_reason: 'stop', sanitised: false, spent: spent('succeeded', price) };
}

export function failure(
  code: 'provider_error' | 'timeout' | 'provider_busy' | 'run_cancelled' | 'interrupted',
  outcome: Outcome,
) {
  const cost = outcome === 'uncertain' ? null : priceOfFailure;
  return { ok: false, code, detail: 'It failed.', output: '', sanitised: false, spent: spent(outcome, cost) } as const;
}

type Outcome = 'succeeded' | 'failed' | 'uncertain';

function spent(outcome: Outcome, cost: number | null) {
  const attempt = {
    number: 1,
    model: 'fake/model',
    outcome,
    code: null,
    provider_status: null,
    first_output_ms: 1,
    total_ms: 2,
  };
  return { model: 'fake/model', attempts: [attempt], usage: unknownUsage, cost_micros: cost, first_output_ms: 1 };
}

export { reservedPrice };
