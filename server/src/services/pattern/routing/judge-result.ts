import type { ModelResult } from '../model/model-call.ts';

/** What a call says of its provider: it works, it fails, or nothing. */
export type Verdict = 'alive' | 'failed' | 'nothing';

type Failure = Extract<ModelResult, { ok: false }>;

/**
 * `patienceMs` is the operator's: who allows a call less time and gets none of it says nothing of the provider, or
 * anyone could shut it for others. A 429 is the provider's word that it works.
 */
export function judgeResult(result: ModelResult, elapsedMs: number, patienceMs: number): Verdict {
  if (result.ok) return 'alive';
  switch (result.code) {
    case 'provider_error':
      return result.status !== null && result.status >= 400 && result.status < 500 ? 'alive' : 'failed';
    case 'provider_busy':
      return result.status === 429 ? 'alive' : 'failed';
    case 'timeout':
      return isUnreached(result) || elapsedMs >= patienceMs ? 'failed' : 'nothing';
    case 'truncated':
    case 'provider_protocol_error':
      return 'failed';
    case 'provider_auth':
    case 'model_not_found':
    case 'input_too_long':
    case 'content_refused':
      return 'alive';
    default:
      return 'nothing';
  }
}

/** What may follow a failed call: the same once more, another model, or nothing. */
export type NextStep = 'repeat' | 'move' | 'stop';

/** Kinds of failure after which the provider has surely not worked, nor charged. */
const refusals: ReadonlySet<number> = new Set([429, 500, 502, 503, 529]);

/**
 * Nothing follows once output was seen, or where the call may have been executed and charged: what was cut off, what
 * timed out after it was sent, 408 and 504, which tell that somebody gave up waiting. `repeatUncertain` allows those.
 */
export function nextStep(result: Failure, repeatUncertain: boolean): NextStep {
  if (result.firstOutputMs !== null) return 'stop';
  switch (result.code) {
    case 'provider_auth':
    case 'model_not_found':
    case 'input_too_long':
    case 'egress_denied':
    case 'attachment_not_supported':
      return 'move';
    case 'provider_busy':
      return 'repeat';
    case 'provider_error':
    case 'timeout':
      if (isUnreached(result) || (result.status !== null && refusals.has(result.status))) return 'repeat';
      return repeatUncertain && isUncertain(result) ? 'repeat' : 'stop';
    case 'truncated':
    case 'provider_protocol_error':
      return repeatUncertain ? 'repeat' : 'stop';
    default:
      return 'stop';
  }
}

/** The request never went out: no connection. */
function isUnreached(result: Failure): boolean {
  return result.status === null && result.uncertain !== true;
}

/** Whether the provider worked and charged is not known. 408 and 504 tell that somebody gave up waiting for it. */
export function isUncertain({ uncertain, status }: Failure): boolean {
  return uncertain === true || status === 408 || status === 504;
}
