import { unknownUsage } from '../model/model-call.ts';
import type { PartEnd } from './part.ts';
import type { CallIntent, RunEnd, StepError, StepRecord } from './ports.ts';
import { freshRecord, sumSteps, withUncertain } from './step-record.ts';
import type { Work } from './work.ts';

/** Steps that the end of the run leaves without one: those that waited, and calls of earlier holders that nobody took up. */
export function endLeftOver(
  records: ReadonlyMap<string, StepRecord>,
  lost: Iterable<CallIntent>,
  now: number,
): StepRecord[] {
  const uncertain = new Map<string, StepRecord>();
  for (const intent of lost) {
    const record = records.get(intent.step) ?? freshRecord(intent.step, null, now);
    if (intent.number > record.calls) uncertain.set(intent.step, withUncertain(record, intent));
  }
  const waiting = [...records.values()].filter(({ state, path }) => state === 'waiting' && !uncertain.has(path));
  return [...waiting, ...uncertain.values()].map((record) => ({
    ...record,
    state: 'failed',
    error: record.error ?? unneeded,
    why: null,
    until: null,
    decision: null,
    finished_at: now,
  }));
}

const unneeded: StepError = { code: 'run_cancelled', detail: 'The run ended before this step did.' };

/** How the run ended, from how its parts did. `stopped` counts where they did not succeed all the same. */
export function toRunEnd(
  work: Work,
  ended: PartEnd | undefined,
  stopped: StepError | undefined,
  records: ReadonlyMap<string, StepRecord>,
  times: { readonly claimed: number; readonly now: number },
): RunEnd {
  const error = ended?.ok ? null : (stopped ?? (ended?.ok === false ? ended.error : null) ?? unneeded);
  const status = error === null ? 'succeeded' : error.code === 'run_cancelled' ? 'cancelled' : 'failed';
  const first = [...records.values()].reduce((least, { started_at }) => Math.min(least, started_at), times.claimed);
  const shared = { status, error, total_ms: times.now - first } as const;
  if (work.kind === 'plain') {
    const record = records.get('');
    const result = ended?.result;
    return {
      ...shared,
      stop_reason: result?.ok ? result.stop_reason : null,
      output: record?.output ?? '',
      ...(ended?.ok && record?.data !== undefined ? { data: record.data } : {}),
      model: record?.model ?? '',
      usage: record?.usage ?? unknownUsage,
      cost_micros: record?.cost_micros ?? (record ? null : 0),
      attempts: record?.attempts ?? [],
      first_output_ms: result?.spent.first_output_ms ?? null,
      sanitised: record?.sanitised ?? false,
      ...(record?.flags ? { flags: record.flags } : {}),
    };
  }
  const outcome = ended?.ok ? ended.outcome : undefined;
  return {
    ...shared,
    stop_reason: outcome ? 'stop' : null,
    output: outcome?.output ?? '',
    ...(outcome?.data === undefined ? {} : { data: outcome.data }),
    model: [...records.values()].findLast(({ model }) => model !== null)?.model ?? '',
    attempts: [],
    first_output_ms: null,
    ...sumSteps(records.values()),
  };
}
