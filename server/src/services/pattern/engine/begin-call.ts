import type { ErrorCode } from '@damask/contracts/errors.ts';
import { AppError } from '#platform/app-error.ts';
import { skipped } from '../chain/combine-outcomes.ts';
import type { Ended, Host, OpenCall, Part, PartEnd } from './part.ts';
import type { CallIntent, StepCall, StepDecision, StepError, StepRecord, StepResult } from './ports.ts';
import { freshRecord, withResult, withUncertain } from './step-record.ts';

/** A call whose texts are settled, and how often it may be repeated. */
export interface CallSpec extends Omit<StepCall, 'number'> {
  readonly retry: { readonly times: number; readonly wait_ms: number };
}

/** Nothing is wrong with the call: it may only not be made now. */
const busy = new Set<ErrorCode>(['provider_busy', 'no_model', 'rate_limited', 'overloaded', 'unavailable']);
/** Half an hour, with the pauses below. */
const busyTries = 14;
const longestPause = 5 * 60_000;
const longestRetryAfter = 60 * 60_000;
/** A budget may be raised before its period ends, so it is looked at again meanwhile. */
const longestBudgetPause = 15 * 60_000;

const unknownEnd: StepError = {
  code: 'interrupted',
  detail:
    'The worker was lost during the call. Whether the provider answered is not known. Retry the run if it may be called again.',
};

/** Calls a model for a step, again where the step or the provider says so, and keeps how it ended. */
export function beginCall(host: Host, spec: CallSpec, ended: Ended): Part {
  const { retry, ...asked } = spec;
  let record = host.record(spec.path) ?? freshRecord(spec.path, spec.pattern, host.now());
  let open: OpenCall | undefined;
  let cancelled = false;

  const keep = (change: Partial<StepRecord>) => {
    record = { ...record, ...change };
    host.save(record);
  };
  const end = (change: Pick<StepRecord, 'state'> & Partial<StepRecord>, result?: StepResult) => {
    keep({ ...change, why: null, until: null, decision: null, finished_at: host.now() });
    if (!cancelled) ended(toEnd(record, result));
  };
  const fail = (error: StepError, result?: StepResult) => end({ state: 'failed', error }, result);

  function call() {
    open = host.call({ call: { ...asked, number: record.calls + 1 }, done, refused });
  }

  function done(result: StepResult, intent: CallIntent) {
    record = withResult(record, intent, result);
    if (result.ok) return end({ state: 'succeeded' }, result);
    const error = { code: result.code, detail: result.detail };
    if (cancelled || host.stopping) return fail(error, result);
    if (result.spent.attempts.at(-1)?.outcome === 'uncertain' && intent.on_uncertain !== 'retry') {
      return intent.on_uncertain === 'review' ? review(error) : fail(error, result);
    }
    const until = goesOnAt(pauseBefore(result.code, result.retryAfterSeconds));
    if (until === undefined) return fail(error, result);
    rest(until, error);
  }

  function refused(cause: unknown) {
    const error = toError(cause);
    // What a budget refuses counts as no try: it may refuse for a month.
    const tried = error.code === 'budget_exceeded' ? 0 : 1;
    record = { ...record, calls: record.calls + tried, error };
    const { retryAfterSeconds, final } = cause instanceof AppError ? cause.details : {};
    const until = final ? undefined : goesOnAt(pauseBefore(error.code, retryAfterSeconds));
    if (cancelled || host.stopping || until === undefined) fail(error);
    else rest(until, error);
  }

  /** Who would wait too long is told the cause now: at the deadline it would be a timeout, with no word of it. */
  function goesOnAt(pause: number | undefined): number | undefined {
    if (pause === undefined || pause > (host.patience ?? pause)) return undefined;
    const until = host.now() + pause;
    return host.deadline !== null && until >= host.deadline ? undefined : until;
  }

  /** Milliseconds until the next call; undefined: there is none. Uncertain calls do not count against what the step allows. */
  function pauseBefore(code: ErrorCode, retryAfterSeconds?: number): number | undefined {
    // It waits for the next period as long as its deadline allows: nothing was called, and nothing is wrong with it.
    if (code === 'budget_exceeded') {
      return Math.min((retryAfterSeconds ?? 1) * 1_000, longestBudgetPause) * (1 + host.random() / 20);
    }
    const lost = record.attempts.filter((attempt) => attempt.code === 'interrupted').length;
    const tries = record.calls - lost;
    if (busy.has(code) && tries < busyTries) {
      const grown = Math.min(1_000 * 2 ** (tries - 1), longestPause);
      const least = Math.min((retryAfterSeconds ?? 0) * 1_000, longestRetryAfter);
      return Math.max(least, retry.wait_ms, grown * (0.5 + host.random() / 2));
    }
    return tries <= retry.times ? retry.wait_ms : undefined;
  }

  function rest(until: number, error: StepError | null) {
    keep({ state: 'waiting', why: 'retry', until, error });
    open = host.park({ path: spec.path, why: 'retry', because: error?.detail ?? null, until, resume: call });
  }

  function review(error: StepError) {
    keep({ state: 'waiting', why: 'review', until: null, error });
    open = host.park({ path: spec.path, why: 'review', until: null, resume: judge });
  }

  function judge(decided: StepDecision | null) {
    if (decided?.decision === 'retry' || decided?.decision === 'approve') again();
    else fail(record.error ?? unknownEnd);
  }

  /** What was tried is kept with the intent of the next call. */
  function again() {
    keep({ state: 'waiting', why: 'retry', until: host.now(), decision: null });
    call();
  }

  function begin() {
    if (record.state !== 'waiting') return ended(toEnd(record));
    const lost = host.takeLost(spec.path);
    if (lost && lost.number > record.calls) {
      record = withUncertain(record, lost);
      if (lost.on_uncertain === 'retry') again();
      else if (lost.on_uncertain === 'review') review(unknownEnd);
      else fail(unknownEnd);
    } else if (record.why === 'review') {
      if (record.decision) judge(record.decision);
      else open = host.park({ path: spec.path, why: 'review', until: null, resume: judge });
    } else if (record.why === 'retry' && (record.until ?? 0) > host.now()) {
      const because = record.error?.detail ?? null;
      open = host.park({ path: spec.path, why: 'retry', because, until: record.until, resume: call });
    } else call();
  }

  begin();
  return {
    cancel() {
      cancelled = true;
      open?.cancel();
    },
  };
}

/** The end of a call that its record tells. */
export function toEnd(record: StepRecord, result?: StepResult): PartEnd {
  const rest = { record, ...(result ? { result } : {}) };
  if (record.state === 'skipped') return { ok: true, outcome: skipped, ...rest };
  if (record.state === 'succeeded') {
    const { output, data } = record;
    return { ok: true, outcome: data === undefined ? { output } : { output, data }, ...rest };
  }
  return { ok: false, error: record.error ?? { code: 'internal', detail: 'The step failed.' }, ...rest };
}

function toError(cause: unknown): StepError {
  if (cause instanceof AppError) return { code: cause.code, detail: cause.message };
  return { code: 'internal', detail: 'The step could not be called. Tell the operator, with the id of the run.' };
}
