import type { Socket } from 'node:net';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import { toProblem } from './problem.ts';

/** Requests that Node itself refuses get the same kind of answer as all others. */
export function answerClientError(error: Error, socket: Socket, busy: boolean, clock: Clock) {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ECONNRESET' || !socket.writable || busy) {
    socket.destroy();
  } else if (code === 'HPE_HEADER_OVERFLOW') {
    const failure = new AppError('headers_too_large', 'The headers may have at most 16 KiB together. Send less.');
    endWith(socket, failure, clock);
  } else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    endWith(socket, new AppError('request_timeout', 'The request did not arrive in time. Send it faster.'), clock);
  } else {
    endWith(socket, notHttp('This is not a request that HTTP/1.1 allows.'), clock);
  }
}

export function notHttp(detail: string): AppError {
  return new AppError('invalid_request', detail);
}

export function endWith(socket: Socket, failure: AppError, clock: Clock) {
  const body = JSON.stringify(toProblem(failure, clock.uuid()));
  socket.end(
    `HTTP/1.1 ${failure.status} Error\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
