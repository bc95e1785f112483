import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import { listenFailure } from '#platform/metrics.ts';
import { toProblem } from './problem.ts';

export interface Listener {
  readonly url: string;
  /** Stops accepting, lets requests finish for `milliseconds`, then closes what is left. */
  drain(milliseconds: number): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly clock: Clock;
  readonly maxConnections: number;
}

/** The public listener. Limits belong into the constructor: as properties they are looked at every 30 s only. */
export async function listen({ host, port, handle, clock, maxConnections }: ListenOptions): Promise<Listener> {
  let draining = false;
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 1_000,
      noDelay: true,
    },
    (request, response) => {
      if (draining) response.shouldKeepAlive = false;
      handle(request, response);
    },
  );
  server.maxConnections = maxConnections;
  server.on('clientError', (error, socket) => answerClientError(error, socket as Socket, clock));
  server.on('connect', (_, socket) => socket.destroy());
  server.on('upgrade', (_, socket) => socket.destroy());
  await open(server, host, port);
  const address = server.address() as { port: number };
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name}:${address.port}`,
    async drain(milliseconds) {
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A connection whose request ends only now becomes idle later.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      server.closeIdleConnections();
      const late = clock.after(milliseconds, () => server.closeAllConnections());
      await closed;
      clearInterval(sweep);
      late.cancel();
    },
  };
}

function open(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure(error, host, port, 'DAMASK_PORT')));
    server.listen(port, host, resolve);
  });
}

/** Requests that Node itself refuses get the same kind of answer as all others. */
function answerClientError(error: Error, socket: Socket, clock: Clock) {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const failure =
    code === 'HPE_HEADER_OVERFLOW'
      ? new AppError('headers_too_large', 'The headers may have at most 16 KiB together. Send less.')
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? new AppError('request_timeout', 'The request did not arrive in time. Send it faster.')
        : new AppError('invalid_request', 'This is not a request that HTTP/1.1 allows.');
  const body = JSON.stringify(toProblem(failure, clock.uuid()));
  socket.end(
    `HTTP/1.1 ${failure.status} Error\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
