import { AppError } from '#platform/app-error.ts';
import { systemClock } from '#platform/clock.ts';
import type { CallIntent, RunEnd, Spent, StepResult } from '../engine/ports.ts';
import { unknownUsage } from '../model/model-call.ts';
import type { AcceptedRow } from '../run/record.ts';
import type { TaskRecord, TaskRuns } from './task-runs.ts';
import { finishedRow } from './tasks-for-tests.ts';

/** Runs whose calls a test answers. */
export interface ScriptedRuns extends TaskRuns {
  /** Runs in the order in which their calls went out. */
  readonly called: readonly string[];
  readonly endsTold: readonly string[];
  readonly cancelled: RunEnd;
  /** From now on calls wait until they are released. */
  hold(onUncertain?: CallIntent['on_uncertain']): void;
  holdOpening(): void;
  refuseOpening(): void;
  release(): void;
  untilCalled(count: number): Promise<void>;
  untilOpened(count: number): Promise<void>;
  untilClosed(count: number): Promise<void>;
  bare(row: AcceptedRow, end: RunEnd): TaskRecord;
}

const spent: Spent = {
  model: 'fake/model',
  attempts: [
    {
      number: 1,
      model: 'fake/model',
      outcome: 'succeeded',
      code: null,
      provider_status: 200,
      first_output_ms: null,
      total_ms: null,
    },
  ],
  usage: unknownUsage,
  cost_micros: 1,
  first_output_ms: null,
};
const answered: StepResult = { ok: true, output: 'Hello.', stop_reason: 'stop', sanitised: false, spent };

export function createScriptedRuns(): ScriptedRuns {
  const called: string[] = [];
  const endsTold: string[] = [];
  const rows = new Map<string, AcceptedRow>();
  let opened = 0;
  let closed = 0;
  let refusing = false;
  let onUncertain: CallIntent['on_uncertain'] = 'fail';
  let holding = Promise.withResolvers<void>();
  let held = false;
  let opening = false;

  const until = async (met: () => boolean) => {
    for (let look = 0; look < 400 && !met(); look++) await systemClock.sleep(25);
    if (!met()) throw new Error('It did not come to that');
  };
  const toRecord = (row: AcceptedRow, end: RunEnd): TaskRecord => ({
    row: {
      ...finishedRow(row),
      status: end.status,
      error_code: end.error?.code ?? null,
      error_detail: end.error?.detail ?? null,
      attempts: end.attempts,
    },
    payload: null,
  });
  return {
    called,
    endsTold,
    cancelled: {
      ...{ status: 'cancelled', error: null, stop_reason: null, output: '', model: '', usage: unknownUsage },
      ...{ cost_micros: 0, attempts: [], first_output_ms: null, total_ms: 0, sanitised: false },
    },
    provider: {
      prepare: async () => ({ model: 'fake/model', reserved_micros: 5, on_uncertain: onUncertain }),
      call({ id }) {
        called.push(id);
        const { promise, resolve } = Promise.withResolvers<StepResult>();
        if (held) void holding.promise.then(() => resolve(answered));
        else resolve(answered);
        const abort = () => resolve({ ...answered, ok: false, code: 'interrupted', detail: '' } as StepResult);
        return { done: promise, abort };
      },
    },
    async toRecord({ id }, end) {
      return toRecord(rows.get(id) as AcceptedRow, end);
    },
    async open({ row, request }) {
      opened += 1;
      if (opening) await holding.promise;
      if (refusing) throw new AppError('unavailable', 'The request cannot be opened.');
      if (request.length === 0) throw new Error('A request is missing');
      rows.set(row.id, row);
      return {
        work: { kind: 'plain', timeoutMs: 60_000, input: '', variables: {} },
        begin: () => undefined,
        close(ended) {
          closed += 1;
          if (ended) endsTold.push(row.id);
        },
      };
    },
    hold(policy = 'fail') {
      held = true;
      onUncertain = policy;
    },
    holdOpening() {
      opening = true;
    },
    refuseOpening() {
      refusing = true;
    },
    release() {
      held = false;
      opening = false;
      holding.resolve();
      holding = Promise.withResolvers();
    },
    untilCalled: (count) => until(() => called.length >= count),
    untilOpened: (count) => until(() => opened >= count),
    untilClosed: (count) => until(() => closed >= count),
    bare: toRecord,
  };
}
