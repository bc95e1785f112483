import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers the questions that browsers ask before and after a page of another origin calls. True: answered in full. */
export type Cors = (request: IncomingMessage, response: ServerResponse) => boolean;

const preflightSeconds = '600';
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const requestHeaders =
  'authorization, content-type, damask-deadline, damask-reason, damask-workspace, idempotency-key, if-match, if-none-match, last-event-id';
const answerHeaders = 'etag, retry-after, ratelimit, ratelimit-policy, x-request-id, idempotent-replayed';

/** Lets pages of the named origins call; `*` is every origin. Keys travel in a header, so cookies are never allowed. */
export function createCors(origins: readonly string[]): Cors | undefined {
  if (origins.length === 0) return undefined;
  const anywhere = origins.includes('*');
  const known = new Set(origins);
  return (request, response) => {
    const { origin } = request.headers;
    response.setHeader('vary', 'origin');
    if (origin === undefined || !(anywhere || known.has(origin))) return false;
    response.setHeader('access-control-allow-origin', anywhere ? '*' : origin);
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      response.setHeader('access-control-expose-headers', answerHeaders);
      return false;
    }
    response.setHeader('access-control-allow-methods', methods);
    response.setHeader('access-control-allow-headers', requestHeaders);
    response.setHeader('access-control-max-age', preflightSeconds);
    response.writeHead(204, { 'content-length': 0 }).end();
    return true;
  };
}
