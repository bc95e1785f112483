import { scimSchemas } from '@damask/contracts/scim.ts';
import type { AppError } from '#platform/app-error.ts';
import { toProblem } from './problem.ts';

export const scimType = 'application/scim+json';

/** Whether an address is one of those where SCIM is spoken, also where nothing is. */
export function isScimAddress(url = ''): boolean {
  return url.replace(/^https?:\/\/[^/?#]*/i, '').startsWith('/scim/');
}

/** An error as RFC 7644 (3.12) writes it, with what our other errors say beside it. */
export function toScimProblem(error: AppError, requestId: string): Record<string, unknown> {
  const { status, detail, code, request_id, pointer, need, problems } = toProblem(error, requestId);
  const kind = kindOf(error);
  return {
    schemas: [scimSchemas.error],
    status: String(status),
    ...(kind === undefined ? {} : { scimType: kind }),
    detail,
    code,
    request_id,
    pointer,
    need,
    problems,
  };
}

function kindOf({ code, status, details: { pointer } }: AppError): string | undefined {
  if (code === 'already_exists') return 'uniqueness';
  if (status !== 400 || code !== 'invalid_request' || pointer === undefined) return undefined;
  if (pointer === '/filter') return 'invalidFilter';
  if (pointer.endsWith('/path')) return 'invalidPath';
  if (pointer === '') return 'invalidSyntax';
  return /^\/Operations\/\d+$/.test(pointer) ? 'noTarget' : 'invalidValue';
}
