import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Operation } from '@damask/contracts/operation.ts';
import { entityTag, tagsIn } from '#platform/entity-tag.ts';
import { pagePolicy, scriptedPolicy } from './page-frame.ts';
import { commonHeaders, replayedHeader } from './problem.ts';
import { scimType } from './scim-problem.ts';

/** Of an answer in JSON. As a list: Node copies and checks an object field by field. */
const jsonHeaders = Object.entries({ ...commonHeaders, 'content-type': 'application/json' }).flat();
const replayedList: readonly string[] = Object.entries(replayedHeader).flat();
/** Beyond those of every answer. Old browsers know no `frame-ancestors`. */
const pageHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'x-frame-options': 'DENY',
} as const;
const noMore: readonly string[] = [];

/** A plain success: JSON, or the text of a page. What was read carries a tag, and 304 says that the caller has it. */
export function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  operation: Operation,
  output: unknown,
  requestId: string,
  status: number = operation.status,
) {
  if (operation.redirects) {
    const { location } = output as { location: string };
    response.writeHead(303, { ...commonHeaders, location, 'content-length': 0, 'x-request-id': requestId }).end();
    return;
  }
  if (operation.dialect === 'scim' && operation.method !== 'GET') {
    sendScim(response, output, requestId, status);
    return;
  }
  // As text: Node then sends head and body in one piece.
  const body = operation.media === undefined ? JSON.stringify(output ?? {}) : String(output);
  if (operation.method === 'GET') return sendRead(request, response, operation, body, requestId);
  const length = String(Buffer.byteLength(body));
  const replayed = operation.headers && (output as { replayed?: true }).replayed ? replayedList : noMore;
  response.writeHead(status, [...jsonHeaders, 'content-length', length, 'x-request-id', requestId, ...replayed]);
  response.end(body);
}

/** What was made tells its address (RFC 7644, 3.3); 204 has neither body nor length. */
function sendScim(response: ServerResponse, output: unknown, requestId: string, status: number) {
  if (status === 204) {
    response.writeHead(204, { ...commonHeaders, 'x-request-id': requestId }).end();
    return;
  }
  const body = JSON.stringify(output);
  const { location } = (output as { meta?: { location?: string } }).meta ?? {};
  response.writeHead(status, {
    ...commonHeaders,
    'content-type': scimType,
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    ...(status === 201 && location !== undefined ? { location } : {}),
  });
  response.end(body);
}

function sendRead(
  request: IncomingMessage,
  response: ServerResponse,
  operation: Operation,
  body: string,
  requestId: string,
) {
  const tag = entityTag(body);
  const headers = {
    ...commonHeaders,
    // On 304 too: a browser takes its headers for those of the page that it kept.
    ...(operation.media?.startsWith('text/html') ? headersOfPage(operation) : {}),
    // Kept by the caller alone, and asked for again each time.
    'cache-control': 'private, no-cache',
    etag: tag,
    'x-request-id': requestId,
  };
  const known = request.headers['if-none-match'];
  if (known !== undefined && (known.trim() === '*' || tagsIn(known).includes(tag))) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(operation.status, {
    ...headers,
    'content-type': operation.media ?? (operation.dialect ? scimType : 'application/json'),
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

const headersOfPage = ({ scripted }: Operation) => ({
  ...pageHeaders,
  'content-security-policy': scripted ? scriptedPolicy : pagePolicy,
});
