import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Redaction } from '@damask/contracts/guard.ts';
import type { TextThreads } from '#platform/redact/text-threads.ts';
import { chargeOf } from '../budget/charge-of-result.ts';
import type { StepProvider, StepResult } from '../engine/ports.ts';
import type { GuardedResult } from '../guard/guarded-call.ts';
import { unknownUsage } from '../model/model-call.ts';
import { callModel } from './call-model.ts';
import type { Stop } from './engine.ts';
import { costOfResult, longestDetail, longestReason, roundMs } from './finish-run.ts';
import { createOutputText, type OutputText, storableText } from './output-text.ts';
import { planStep, type StepParts } from './plan-step.ts';
import { mostOfExecution, reserveRun } from './reserve-run.ts';
import type { PreparedStep, RunAtHand, RunsAtHand } from './run-at-hand.ts';
import { bareJson } from './structured-output.ts';

/** Calls of queued runs: the same way to a model that runs take whose callers wait. */
export function createQueuedCalls(parts: StepParts, runs: RunsAtHand, grown: (run: RunAtHand) => void): StepProvider {
  return {
    async prepare(claim, call) {
      const run = runs.of(claim);
      const planned = await planStep(parts, run, call);
      const { route, plan } = planned;
      const { workspace, actor, pattern, environment } = run.row;
      const who = { id: run.row.id, workspace, key: actor, queued: true, of: { pattern, environment } };
      // An answer from the cache calls nobody.
      const free = route.candidates.length === 0;
      const reservation = free ? undefined : await reserveRun(parts.limits, who, planned);
      run.prepared.get(call.path)?.reservation?.release();
      run.prepared.set(call.path, reservation ? { ...planned, reservation } : planned);
      const reserved = reservation ? reservation.micros : free ? 0 : mostOfExecution(parts.limits, planned).micros;
      const forgo = () => {
        if (run.prepared.delete(call.path)) reservation?.release();
      };
      return { model: route.name, reserved_micros: reserved, on_uncertain: plan.version.on_uncertain, forgo };
    },
    call(claim, { path }) {
      const run = runs.of(claim);
      const step = run.prepared.get(path);
      if (!step) throw new Error('A step was to be called that was not prepared');
      run.prepared.delete(path);
      return callStep(parts, run, path, step, grown);
    },
  };
}

function callStep(
  parts: StepParts,
  run: RunAtHand,
  path: string,
  { plan, route, timeoutMs, reservation }: PreparedStep,
  grown: (run: RunAtHand) => void,
) {
  const { engine, limits } = parts;
  const { redact } = plan;
  const { output: form } = plan.version;
  const output = createOutputText(form.max_characters ?? undefined);
  const own = path === '';
  // Each attempt writes a text of its own; who reads along is told that it begins anew.
  if (own && !run.live.late) run.live.output = output;
  let stopped: Stop | undefined;
  // An answer of a form is put right before anybody sees it, and of a batch nobody reads along.
  const stream = own && !run.bulk && form.type !== 'json' && !run.live.late;
  const call = callModel(
    engine,
    { plan, route, timeoutMs, ...(reservation ? { reservation } : {}) },
    stream,
    (text) => {
      output.push(text);
      if (output.full)
        stop('truncated', `The answer is longer than the ${form.max_characters} characters that the pattern allows.`);
      if (own && !run.live.late) {
        run.live.readers?.wake();
        grown(run);
      }
      return true;
    },
  );
  const stop = (code: ErrorCode, detail: string) => {
    stopped ??= { code, detail };
    call.abort(code, detail);
  };
  const answered: Promise<GuardedResult> = call.done;
  const done = answered.then(
    async (result) => {
      output.end();
      if (own) run.answer = result;
      const ended = toStepResult(result, stopped, output, costOfCalls(limits, { plan, route }, result));
      return redact ? redactStep(engine.threads, redact, ended, run.redacted) : ended;
    },
    (): StepResult => ({
      ok: false,
      code: 'internal',
      detail: 'The call to the model failed on our side. Tell the operator, with the id of the run.',
      output: output.text,
      sanitised: output.sanitised,
      spent: { model: route.name, attempts: [], usage: unknownUsage, cost_micros: null, first_output_ms: null },
    }),
  );
  return { done, abort: stop };
}

/** A call without a known end counts at the most that it may have cost, as budgets count it. */
function costOfCalls(limits: StepParts['limits'], step: Pick<PreparedStep, 'plan' | 'route'>, result: GuardedResult) {
  const now = limits.clock.now();
  const cost = costOfResult(result, now);
  if (cost !== null || result.attempts.every(({ outcome }) => outcome !== 'uncertain')) return cost;
  const most = mostOfExecution(limits, step);
  return most.micros === null ? null : chargeOf(result, most, now).spent.micros;
}

function toStepResult(
  result: GuardedResult,
  stopped: Stop | undefined,
  output: OutputText,
  cost: number | null,
): StepResult {
  const spent = {
    model: result.served.name,
    attempts: result.attempts,
    usage: result.usage,
    cost_micros: cost,
    first_output_ms: result.firstOutputMs === null ? null : roundMs(result.firstOutputMs),
  };
  const flags = result.flags ? { flags: result.flags } : {};
  const shared = { output: output.text, sanitised: output.sanitised, ...flags, spent };
  // An answer that does not fit is no success, even if it was complete upstream.
  const failure = output.full ? stopped : result.ok ? undefined : (stopped ?? result);
  if (failure === undefined && result.ok) {
    const stop_reason = storableText(result.stopReason, longestReason);
    return { ok: true, stop_reason, ...(result.data === undefined ? {} : { data: result.data }), ...shared };
  }
  const { code, detail } = failure as Stop;
  const wait = result.ok ? undefined : result.retryAfterSeconds;
  return {
    ok: false,
    code,
    detail: storableText(detail, longestDetail),
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
    ...shared,
  };
}

/** What the next steps of a chain get is what is stored of a step. */
async function redactStep(
  threads: TextThreads,
  rules: Redaction,
  result: StepResult,
  counts: Record<string, number>,
): Promise<StepResult> {
  const [output = '', detail = ''] = [result.output, result.ok ? '' : result.detail];
  const { texts, counts: found } = await threads.redact(rules, [output, detail]);
  for (const [kind, count] of Object.entries(found)) counts[kind] = (counts[kind] ?? 0) + count;
  const [clean = '', reason = ''] = texts;
  if (!result.ok) return { ...result, output: clean, detail: reason };
  if (result.data === undefined || clean === output) return { ...result, output: clean };
  const { data: _, ...rest } = result;
  return { ...rest, output: clean, ...dataOf(clean) };
}

/** A number that was taken out may leave no JSON. */
function dataOf(text: string): { readonly data?: unknown } {
  try {
    return { data: JSON.parse(bareJson(text)) as unknown };
  } catch {
    return {};
  }
}
