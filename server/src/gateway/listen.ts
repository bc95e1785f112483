import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import { createDrain } from '#platform/drain-server.ts';
import { listenFailure } from '#platform/metrics.ts';
import { isUpload } from '#platform/read-upload.ts';
import { sendProblem, toProblem } from './problem.ts';
import { discardBody } from './read-body.ts';

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
  /** Milliseconds for the headers and for a whole request to arrive; shorter in tests. */
  readonly patience?: { readonly headers: number; readonly request: number };
}

const standardPatience = { headers: 10_000, request: 60_000 };

/** The public listener. Limits belong into the constructor: as properties they are looked at every 30 s only. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, handle, clock, maxConnections, patience = standardPatience } = options;
  let draining = false;
  const lines = new WeakMap<Socket, Line>();
  const refuse = (request: IncomingMessage, response: ServerResponse, detail: string) => {
    response.shouldKeepAlive = false;
    sendProblem(response, new AppError('invalid_request', detail), clock.uuid());
    discardBody(request, response);
  };
  const take = (request: IncomingMessage, response: ServerResponse) => {
    if (draining) response.shouldKeepAlive = false;
    note(lines, request, response);
    const hosts = countHosts(request.rawHeaders);
    if (hosts === 1 || (hosts === 0 && request.httpVersion === '1.0')) handle(request, response);
    else refuse(request, response, 'Send exactly one header "Host".');
  };
  const server = createServer(
    {
      // Looked at below: node's own refusal would be an empty answer.
      requireHostHeader: false,
      maxHeaderSize: 16 * 1024,
      headersTimeout: patience.headers,
      requestTimeout: patience.request,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: Math.min(1_000, patience.headers / 4),
      noDelay: true,
    },
    (request, response) => take(request, response),
  );
  const drain = createDrain(server, clock);
  server.maxConnections = maxConnections;
  server.on('clientError', (error, socket) => {
    const line = lines.get(socket as Socket);
    // Node knows one patience for all requests, and tells of each once: an upload is watched while it is read.
    if ((error as NodeJS.ErrnoException).code === 'ERR_HTTP_REQUEST_TIMEOUT' && line && isUpload(line.request)) return;
    answerClientError(error, socket as Socket, isBusy(line), clock);
  });
  // Who asks before sending is told to go on when the body is wanted, not before.
  server.on('checkContinue', (request, response) => {
    request.once('resume', () => {
      if (!response.headersSent) response.writeContinue();
    });
    take(request, response);
  });
  server.on('checkExpectation', (request, response) => refuse(request, response, 'Only 100-continue can be expected.'));
  server.on('connect', (_, socket) =>
    endWith(socket as Socket, notHttp('This is not a proxy; it does not connect.'), clock),
  );
  await open(server, host, port);
  const address = server.address() as { port: number };
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name}:${address.port}`,
    async drain(milliseconds) {
      draining = true;
      await drain(milliseconds);
    },
  };
}

function open(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure(error, host, port, 'DAMASK_PORT')));
    server.listen(port, host, resolve);
  });
}

/** What a connection waits for. */
interface Line {
  unanswered: number;
  request: IncomingMessage;
  response: ServerResponse;
}

function note(lines: WeakMap<Socket, Line>, request: IncomingMessage, response: ServerResponse) {
  let line = lines.get(request.socket);
  if (line === undefined) {
    line = { unanswered: 0, request, response };
    lines.set(request.socket, line);
  }
  line.unanswered += 1;
  line.request = request;
  line.response = response;
  const noted = line;
  response.once('close', () => {
    noted.unanswered -= 1;
  });
}

/** Whether an answer to broken bytes would be taken for the answer to the request before them. */
function isBusy(line: Line | undefined): boolean {
  if (!line || line.unanswered === 0) return false;
  return line.unanswered > 1 || line.request.complete || line.response.headersSent;
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

/** Requests that Node itself refuses get the same kind of answer as all others. */
function answerClientError(error: Error, socket: Socket, busy: boolean, clock: Clock) {
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

function notHttp(detail: string): AppError {
  return new AppError('invalid_request', detail);
}

function endWith(socket: Socket, failure: AppError, clock: Clock) {
  const body = JSON.stringify(toProblem(failure, clock.uuid()));
  socket.end(
    `HTTP/1.1 ${failure.status} Error\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
