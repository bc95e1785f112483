import type { IncomingMessage } from 'node:http';
import type { Operation } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';

/** A header that gives a field of an operation's input. */
export interface HeaderField {
  readonly header: string;
  readonly field: string;
  readonly integer: boolean;
}

const idempotencyKey = 'idempotency-key';
const preconditions = ['if-match', 'if-none-match'];
const deadline = 'damask-deadline';
const reason = 'damask-reason';
const longestReason = 500;

/** What the headers of an operation give. Built once for each. */
export function listHeaderFields({ headers = {}, input }: Pick<Operation, 'headers' | 'input'>): HeaderField[] {
  return Object.entries(headers).map(([header, field]) => {
    const schema = input.properties[field] as { type?: string } | undefined;
    if (!schema) throw new Error(`The header ${header} gives the field ${field}, which there is not`);
    return { header, field, integer: schema.type === 'integer' };
  });
}

/** Puts what the headers say into `input`. A field that is given twice is refused, whatever the two say. */
export function addHeaders(request: IncomingMessage, fields: readonly HeaderField[], input: Record<string, unknown>) {
  for (const { header, field, integer } of fields) {
    const text = readOnce(request, header);
    if (text === undefined) continue;
    if (input[field] !== undefined) {
      throw new AppError(
        'invalid_request',
        `"${field}" stands in the header ${header} already; leave one of them out.`,
        {
          pointer: `/${field}`,
        },
      );
    }
    input[field] = integer && /^(?:0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
  }
  for (const header of request.method === 'GET' || request.method === 'HEAD' ? [] : preconditions) {
    // Writing what was asked to be left alone would be worse than refusing.
    if (request.headers[header] !== undefined && !fields.some((field) => field.header === header)) {
      throw new AppError('invalid_request', `This operation takes no ${header}. Leave it out; read before you write.`);
    }
  }
  if (request.headers[idempotencyKey] !== undefined && !fields.some(({ header }) => header === idempotencyKey)) {
    // Running twice what was asked once would be worse than refusing.
    throw new AppError(
      'invalid_request',
      'This operation takes no Idempotency-Key. Leave it out; look before you repeat the call.',
    );
  }
}

/** Until when this request may take, in milliseconds since 1970: what its sender says it still has, `longest` at most. */
export function readDeadline(request: IncomingMessage, clock: Clock, longest: number): number {
  if (request.headers[deadline] === undefined) return clock.now() + longest;
  const text = readOnce(request, deadline) as string;
  if (!/^(?:0|[1-9]\d{0,14})$/.test(text)) {
    throw new AppError(
      'invalid_request',
      'The header Damask-Deadline takes the milliseconds that are left, as a whole number.',
    );
  }
  return clock.now() + Math.min(Number(text), longest);
}

/** Why somebody does this, in their words, for the audit log. Headers are bytes: these are taken as UTF-8. */
export function readReason(request: IncomingMessage): string | undefined {
  if (request.headers[reason] === undefined) return undefined;
  const bytes = Buffer.from(readOnce(request, reason) as string, 'latin1');
  const text = bytes.toString('utf8').trim();
  if (text === '') return undefined;
  if (text.length <= longestReason && !/[\p{Cc}\p{Cs}\ufffd]/u.test(text)) return text;
  throw new AppError(
    'invalid_request',
    `The header Damask-Reason takes one line of at most ${longestReason} letters, in UTF-8.`,
  );
}

/** Node joins what is sent twice with a comma, which would make a third value of two. */
function readOnce(request: IncomingMessage, header: string): string | undefined {
  const text = request.headers[header];
  if (text === undefined) return undefined;
  if ((request.headersDistinct[header]?.length ?? 0) > 1) {
    throw new AppError('invalid_request', `The header ${header} is sent more than once. Send it once.`);
  }
  return text as string;
}
