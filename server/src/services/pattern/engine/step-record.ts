import type { RunFlag } from '@damask/contracts/guard.ts';
import type { Attempt } from '@damask/contracts/run.ts';
import { type ModelUsage, unknownUsage } from '../model/model-call.ts';
import type { CallIntent, StepCall, StepRecord, StepResult } from './ports.ts';

/** A step that nothing is known of yet. */
export function freshRecord(path: string, pattern: StepCall['pattern'], now: number): StepRecord {
  return {
    path,
    state: 'waiting',
    pattern: pattern?.pattern ?? null,
    version: pattern?.version ?? null,
    model: null,
    calls: 0,
    attempts: [],
    usage: unknownUsage,
    cost_micros: 0,
    error: null,
    output: null,
    sanitised: false,
    why: null,
    until: null,
    started_at: now,
    finished_at: null,
  };
}

/** What a call whose end nobody knows adds to its step: an attempt, and its cost at the most that was reserved. */
export function withUncertain(record: StepRecord, intent: CallIntent): StepRecord {
  const attempt: Attempt = {
    number: record.attempts.length + 1,
    model: intent.model,
    outcome: 'uncertain',
    code: 'interrupted',
    provider_status: null,
    first_output_ms: null,
    total_ms: null,
  };
  return {
    ...record,
    model: intent.model,
    calls: intent.number,
    attempts: [...record.attempts, attempt],
    cost_micros: add(record.cost_micros, intent.reserved_micros),
  };
}

/** What a call that came back adds to its step. */
export function withResult(record: StepRecord, intent: CallIntent, result: StepResult): StepRecord {
  const { spent } = result;
  const unknown = spent.cost_micros === null && spent.attempts.some(({ outcome }) => outcome === 'uncertain');
  const attempts = spent.attempts.map((attempt, at) => ({ ...attempt, number: record.attempts.length + at + 1 }));
  const grown: StepRecord = {
    ...record,
    model: spent.model,
    calls: intent.number,
    attempts: [...record.attempts, ...attempts],
    usage: addUsage(record.usage, spent.usage),
    cost_micros: add(record.cost_micros, unknown ? intent.reserved_micros : spent.cost_micros),
    output: result.output,
    sanitised: result.sanitised,
    error: result.ok ? null : { code: result.code, detail: result.detail },
  };
  const flagged = result.flags ? { ...grown, flags: result.flags } : grown;
  return result.ok && result.data !== undefined ? { ...flagged, data: result.data } : flagged;
}

/** Of a run: its steps tell the others. */
const mostFlags = 100;

/** What all steps took together. */
export function sumSteps(
  records: Iterable<StepRecord>,
): Pick<StepRecord, 'usage' | 'cost_micros' | 'sanitised' | 'flags'> {
  let usage: ModelUsage = unknownUsage;
  let cost: number | null = 0;
  let sanitised = false;
  const flags: RunFlag[] = [];
  for (const record of records) {
    usage = addUsage(usage, record.usage);
    cost = add(cost, record.cost_micros);
    sanitised ||= record.sanitised;
    for (const flag of record.flags ?? []) if (flags.length < mostFlags) flags.push({ ...flag, step: record.path });
  }
  return { usage, cost_micros: cost, sanitised, ...(flags.length > 0 ? { flags } : {}) };
}

const add = (one: number | null, other: number | null) => (one === null || other === null ? null : one + other);

function addUsage(one: ModelUsage, other: ModelUsage): ModelUsage {
  if (one === unknownUsage) return other;
  const both = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : a + b);
  const written = both(one.cache_write_tokens ?? null, other.cache_write_tokens ?? null);
  return {
    input_tokens: both(one.input_tokens, other.input_tokens),
    output_tokens: both(one.output_tokens, other.output_tokens),
    cached_input_tokens: both(one.cached_input_tokens, other.cached_input_tokens),
    reasoning_tokens: both(one.reasoning_tokens, other.reasoning_tokens),
    ...(written === null ? {} : { cache_write_tokens: written }),
  };
}
