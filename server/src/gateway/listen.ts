import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import { createDrain } from '#platform/drain-server.ts';
import { listenFailure } from '#platform/metrics.ts';
import { isUpload } from '#platform/read-upload.ts';
import { createHttp2 } from './accept-http2.ts';
import { countConnections } from './count-connections.ts';
import { isBusy, type Line, note } from './line.ts';
import { sendProblem } from './problem.ts';
import { discardBody } from './read-body.ts';
import { answerClientError, endWith, notHttp } from './refuse-bytes.ts';
import type { TlsPair } from './tls-files.ts';

export interface Listener {
  readonly url: string;
  /** Stops accepting, lets requests finish for `milliseconds`, then closes what is left. */
  drain(milliseconds: number): Promise<void>;
  /** Serves new connections with another certificate; only where there was one. */
  useCertificate(pair: TlsPair): void;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly clock: Clock;
  readonly maxConnections: number;
  /** Of one IPv4 address or IPv6 /64, this machine and `proxies` excepted; 0 or nothing is no limit. */
  readonly maxOfAddress?: number;
  readonly proxies?: readonly string[];
  /** TLS 1.3 with HTTP/2 and HTTP/1.1; without it plain HTTP/1.1. */
  readonly tls?: TlsPair | undefined;
  /** Milliseconds for the headers and for a whole request to arrive; shorter in tests. */
  readonly patience?: { readonly headers: number; readonly request: number };
}

const standardPatience = { headers: 10_000, request: 60_000 };
const idle = 65_000;
const maxHeaderSize = 16 * 1024;
/** A browser that has seen it comes back by TLS only, for two years. */
const strictTransport = 'max-age=63072000';

/** The public listener. Limits belong into the constructor: as properties they are looked at every 30 s only. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, handle, clock, maxConnections, tls, patience = standardPatience } = options;
  let draining = false;
  const lines = new WeakMap<Socket, Line>();
  const refuse = (request: IncomingMessage, response: ServerResponse, detail: string) => {
    response.shouldKeepAlive = false;
    sendProblem(response, new AppError('invalid_request', detail), clock.uuid());
    discardBody(request, response);
  };
  const takeAny = (request: IncomingMessage, response: ServerResponse) => {
    if (tls) response.setHeader('strict-transport-security', strictTransport);
    handle(request, response);
  };
  const take = (request: IncomingMessage, response: ServerResponse) => {
    if (draining) response.shouldKeepAlive = false;
    note(lines, request, response);
    const hosts = countHosts(request.rawHeaders);
    if (hosts === 1 || (hosts === 0 && request.httpVersion === '1.0')) takeAny(request, response);
    else refuse(request, response, 'Send exactly one header "Host".');
  };
  const limits: ServerOptions = {
    // Looked at below: node's own refusal would be an empty answer.
    requireHostHeader: false,
    maxHeaderSize,
    headersTimeout: patience.headers,
    requestTimeout: patience.request,
    keepAliveTimeout: idle,
    connectionsCheckingInterval: Math.min(1_000, patience.headers / 4),
    noDelay: true,
  };
  const http2 = tls
    ? createHttp2({ clock, take: takeAny, refuse, maxHeaderSize, patience: { request: patience.request, idle } })
    : undefined;
  const secure =
    tls &&
    createTlsServer(
      { ...limits, ...contextOf(tls), ALPNProtocols: ['h2', 'http/1.1'], handshakeTimeout: patience.headers },
      take,
    );
  if (secure && http2) splitByProtocol(secure, http2.accept);
  const server = secure ?? createServer(limits, take);
  countConnections(server, { most: options.maxOfAddress ?? 0, proxies: options.proxies ?? [] });
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
    url: `${tls ? 'https' : 'http'}://${name}:${address.port}`,
    useCertificate: (pair) => secure?.setSecureContext(contextOf(pair)),
    async drain(milliseconds) {
      draining = true;
      http2?.close();
      const late = clock.after(milliseconds, () => http2?.destroy());
      await drain(milliseconds);
      late.cancel();
    },
  };
}

function contextOf({ cert, key }: TlsPair): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.3' };
}

/** Node's server of TLS takes every connection for HTTP/1.1: those that agreed on HTTP/2 go elsewhere. */
function splitByProtocol(server: TlsServer, accept: (socket: Socket) => void) {
  const takeHttp1 = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[];
  server.removeAllListeners('secureConnection');
  // Node passes it on as an error of HTTP, and an answer would wait for the handshake that failed.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (_, socket) => socket.destroy());
  server.on('secureConnection', (socket) => {
    if (socket.alpnProtocol === 'h2') accept(socket);
    else for (const take of takeHttp1) take.call(server, socket);
  });
}

function open(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure(error, host, port, 'DAMASK_PORT')));
    server.listen(port, host, resolve);
  });
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}
