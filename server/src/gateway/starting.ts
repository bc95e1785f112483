import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import { sendProblem } from './problem.ts';

/** Answers while the platform starts: it is alive, and takes nothing yet. */
export function createStartingHandler(clock: Clock) {
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/livez' && request.method === 'GET') {
      response
        .writeHead(200, { 'content-type': 'application/json', 'x-request-id': clock.uuid() })
        .end('{"status":"live"}');
      return;
    }
    response.shouldKeepAlive = false;
    const starting = new AppError('unavailable', 'The platform is starting. Try again in a second.', {
      retryAfterSeconds: 1,
    });
    sendProblem(response, starting, clock.uuid());
    request.resume();
  };
}
