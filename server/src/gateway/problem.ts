import type { ServerResponse } from 'node:http';
import { errorCatalogue } from '@damask/contracts/errors.ts';
import type { AppError } from '#platform/app-error.ts';
import { hideTokens } from '#platform/redact.ts';

/** An error as RFC 9457 `application/problem+json`. */
export function toProblem(error: AppError, requestId: string): Record<string, unknown> {
  const { code, status, message, details } = error;
  return {
    type: `urn:damask:error:${code}`,
    title: errorCatalogue[code].title,
    status,
    code,
    detail: hideTokens(message),
    request_id: requestId,
    ...(details.pointer === undefined ? {} : { pointer: hideTokens(details.pointer) }),
    ...(details.need === undefined ? {} : { need: details.need }),
    ...(details.runId === undefined ? {} : { run_id: details.runId }),
    ...(details.resetAt === undefined ? {} : { reset_at: details.resetAt }),
    ...(details.replayed ? { replayed: true } : {}),
    ...(details.problems === undefined ? {} : { problems: details.problems.map(clean) }),
  };
}

/** A secret in a wrong place of a request is not said again: answers are copied to where secrets must not be. */
function clean<One extends { readonly pointer: string; readonly detail: string }>(one: One): One {
  return { ...one, pointer: hideTokens(one.pointer), detail: hideTokens(one.detail) };
}

/** Headers of every answer. */
export const commonHeaders = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // Whatever a browser takes an answer for, it runs and loads nothing of it and frames it nowhere.
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
} as const;

const plainForm = { type: 'application/problem+json', write: toProblem };

export function sendProblem(
  response: ServerResponse,
  error: AppError,
  requestId: string,
  headers: Record<string, string> = {},
  form: { readonly type: string; readonly write: typeof toProblem } = plainForm,
) {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = Buffer.from(JSON.stringify(form.write(error, requestId)));
  const { details } = error;
  const { retryAfterSeconds } = details;
  response.writeHead(error.status, {
    ...commonHeaders,
    'content-type': form.type,
    'content-length': body.length,
    'x-request-id': requestId,
    ...(error.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(details.replayed ? replayedHeader : {}),
    ...(retryAfterSeconds === undefined && !helpsToWait(error)
      ? {}
      : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterSeconds ?? 1))) }),
    ...headers,
  });
  response.end(body);
}

/** On an answer that an earlier request with the same Idempotency-Key was given. */
export const replayedHeader = { 'idempotent-replayed': 'true' } as const;

/** A model that nobody configured does not come by waiting, nor does another answer for the same key. */
function helpsToWait({ code, status, details }: AppError): boolean {
  return !details.replayed && ((status === 503 && code !== 'no_model') || status === 429);
}
