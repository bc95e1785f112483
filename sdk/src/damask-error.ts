import type { ErrorCode } from './generated.ts';

/**
 * Codes that the sdk adds to those of the server:
 * `unreachable` no answer came, nothing is known about what the server did;
 * `client_timeout` the answer took longer than `timeoutMs`;
 * `unexpected_response` the answer is not one of Damask, often a proxy's or another program's.
 */
export type ClientErrorCode = 'unreachable' | 'client_timeout' | 'unexpected_response';

/** One of several things that are wrong. */
export interface Finding {
  readonly pointer: string;
  readonly detail: string;
  /** In an upload: its line, from 1, and the character in it. */
  readonly line?: number;
  readonly column?: number | null;
}

export interface DamaskErrorDetails {
  /** HTTP status; absent when no answer came. */
  readonly status?: number | undefined;
  /** JSON pointer to the field that is wrong. */
  readonly pointer?: string | undefined;
  /** The permission that is missing. */
  readonly need?: string | undefined;
  /** Names the request in the server's log. */
  readonly requestId?: string | undefined;
  /** The run, where one was recorded. */
  readonly runId?: string | undefined;
  /** Seconds to wait before another try. */
  readonly retryAfter?: number | undefined;
  /** More findings, each with its place. */
  readonly problems?: readonly Finding[] | undefined;
}

/** Every failure of a call. `message` and `detail` say what is wrong and what to do next; `code` is stable. */
export class DamaskError extends Error {
  /** A code of the server (`ErrorCode`), of the sdk (`ClientErrorCode`), or of a newer server than this sdk. */
  readonly code: ErrorCode | ClientErrorCode | (string & {});
  readonly detail: string;
  readonly status: number | undefined;
  readonly pointer: string | undefined;
  readonly need: string | undefined;
  readonly requestId: string | undefined;
  readonly runId: string | undefined;
  readonly retryAfter: number | undefined;
  readonly problems: readonly Finding[];

  constructor(
    code: DamaskError['code'],
    detail: string,
    details: DamaskErrorDetails = {},
    options?: { readonly cause?: unknown },
  ) {
    super(detail, options);
    this.name = 'DamaskError';
    this.code = code;
    this.detail = detail;
    this.status = details.status;
    this.pointer = details.pointer;
    this.need = details.need;
    this.requestId = details.requestId;
    this.runId = details.runId;
    this.retryAfter = details.retryAfter;
    this.problems = details.problems ?? [];
  }
}

/** Reads a failed answer: `application/problem+json` of Damask, or whatever a proxy in between sent. */
export function errorFromResponse(status: number, retryAfter: string | null, body: string): DamaskError {
  const seconds = parseRetryAfter(retryAfter);
  const problem = parseProblem(body);
  if (!problem) {
    const what =
      status === 0 || (status >= 300 && status < 400) ? 'redirects' : `answered ${status} without an explanation`;
    const detail = `The address ${what}: is it the address of a Damask server?`;
    return new DamaskError('unexpected_response', detail, { status, retryAfter: seconds });
  }
  return new DamaskError(problem.code, problem.detail ?? problem.title ?? `The server answered ${status}.`, {
    status,
    pointer: problem.pointer,
    need: problem.need,
    requestId: problem.request_id,
    runId: problem.run_id,
    retryAfter: seconds,
    problems: problem.problems,
  });
}

interface Problem {
  readonly code: string;
  readonly title?: string;
  readonly detail?: string;
  readonly pointer?: string;
  readonly need?: string;
  readonly request_id?: string;
  readonly run_id?: string;
  readonly problems?: DamaskErrorDetails['problems'];
}

function parseProblem(body: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && typeof (value as Problem).code === 'string')
      return value as Problem;
  } catch {
    // Not JSON: the caller gets `unexpected_response`.
  }
  return undefined;
}

/** Seconds from a Retry-After header, which holds seconds or a date. */
function parseRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}
