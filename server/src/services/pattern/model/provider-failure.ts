import type { ErrorCode } from '@damask/contracts/errors.ts';

export interface ProviderFailure {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retryAfterSeconds?: number;
}

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Between our words and the provider's own, which may quote what it was asked. */
export const saidMark = ' It said: ';

/** Our own words of a failure: what is not sealed may hold no others. */
export function withoutQuote(detail: string): string {
  const at = detail.indexOf(saidMark);
  return at < 0 ? detail : detail.slice(0, at);
}

const longestWait = 60;
const refusedContent = /content_filter|ResponsibleAIPolicyViolation|content management policy/i;
const badKey = /api[_ ]key[_ ](not[_ ]valid|invalid|expired)/i;
const tooLong =
  /context.{0,20}(length|window|size)|too many tokens|maximum context|prompt is too long|exceeds the maximum number of tokens/i;

/** What a refusal of the provider means for the caller. `said` is its own text, already redacted. */
export function fromStatus(
  provider: string,
  model: string,
  status: number,
  said: string,
  retryAfter?: string,
): ProviderFailure {
  const quote = said === '' ? '' : `${saidMark}${said.slice(0, 300)}`;
  // Google answers 400 for a key that is none, Azure 400 for what its filter holds back.
  if (status === 401 || status === 403 || (status === 400 && badKey.test(said))) {
    return { code: 'provider_auth', detail: `${provider} refused the key (${status}). Enter a valid one.${quote}` };
  }
  if (status === 404) {
    return {
      code: 'model_not_found',
      detail: `${provider} does not know the model ${model}. See \`damask models\`.${quote}`,
    };
  }
  if (status === 413 || (status === 400 && tooLong.test(said))) {
    return {
      code: 'input_too_long',
      detail: `The input does not fit ${provider}/${model}. Shorten it or use a larger model.${quote}`,
    };
  }
  if (status === 400 && refusedContent.test(said)) {
    return {
      code: 'content_refused',
      detail: `${provider} refuses this content. Change the input, or use another model.${quote}`,
    };
  }
  if (status === 429 || status === 503 || status === 529) {
    return {
      code: 'provider_busy',
      detail: `${provider} asks to wait (${status}).${quote}`,
      retryAfterSeconds: readRetryAfter(retryAfter),
    };
  }
  if (status >= 300 && status < 400) {
    return {
      code: 'provider_error',
      detail: `${provider} redirects elsewhere (${status}), which is not followed. Correct its address.`,
    };
  }
  return { code: 'provider_error', detail: `${provider} answered ${status}. Try again, or another model.${quote}` };
}

/** What the provider says about waiting, in seconds or as a date. */
export function retryAfterOf(headers: ResponseHeaders): string | undefined {
  const exact = first(headers['retry-after-ms']);
  if (exact !== undefined && /^\d{1,9}(\.\d+)?$/.test(exact)) return String(Number(exact) / 1000);
  return first(headers['retry-after']);
}

export const isInterruption = (code: ErrorCode) => code === 'timeout' || code === 'interrupted';

const first = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);

/** Seconds to wait, between 1 and 60: providers have sent dates in the past, 99999999 and words. */
export function readRetryAfter(value: string | undefined, now = Date.now()): number {
  if (value === undefined) return 1;
  const seconds = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : (Date.parse(value) - now) / 1000;
  return Number.isFinite(seconds) ? Math.min(longestWait, Math.max(1, Math.ceil(seconds))) : 1;
}

/** What a broken connection means: before any byte the provider is unreachable, after it the answer is cut off. */
export function fromConnection(provider: string, error: Error, answered: boolean): ProviderFailure {
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  if (answered) {
    return {
      code: 'truncated',
      detail: `The connection to ${provider} broke in the middle of the answer (${code}). Run it again.`,
    };
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    return { code: 'timeout', detail: `${provider} could not be reached in time. Check its address and the network.` };
  }
  return {
    code: 'provider_error',
    detail: `${provider} could not be reached (${code}). Check its address and that it runs.`,
  };
}
