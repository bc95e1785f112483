import type { ServerResponse } from 'node:http';
import { commonHeaders } from './problem.ts';

/** A plain success. */
export function sendJson(response: ServerResponse, status: number, output: unknown, requestId: string) {
  // As text: Node then sends head and body in one piece.
  const body = JSON.stringify(output ?? {});
  response.writeHead(status, {
    ...commonHeaders,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
  });
  response.end(body);
}
