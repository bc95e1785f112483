import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AppError, toAppError } from '../app-error.ts';
import type { CallContext, EventSink } from '../call.ts';
import { drained } from '../drained.ts';
import type { Log } from '../log.ts';
import type { ServiceTokens } from '../service-token.ts';
import { parseStrictJson } from '../strict-json.ts';
import { bytesType, type Frame, fieldsHeader, readyCall, toWireError } from './wire.ts';

type AnyClient = Readonly<Record<string, (context: CallContext, input: never) => Promise<unknown>>>;

/** Largest body of a call between processes: an archive of a whole library. */
const callLimit = 64 * 1024 * 1024;
const inlineParse = 256 * 1024;

/** Serves the services of this process to the others. The listener is a unix socket or an address of the inner network. */
export function serveCalls(options: {
  services: Readonly<Record<string, AnyClient>>;
  tokens: ServiceTokens;
  log: Log;
  /** Why a service of this process cannot take calls, or null. */
  ready?: (service: string) => string | null;
  /** Parses large bodies away from the event loop. */
  parseLarge?: (bytes: Buffer) => Promise<unknown>;
}): Server {
  const { services, tokens, log, ready = () => null, parseLarge = parseStrictJson } = options;
  const parse = (bytes: Buffer) => (bytes.length > inlineParse ? parseLarge(bytes) : parseStrictJson(bytes));
  const server = createServer({ requestTimeout: 60_000, connectionsCheckingInterval: 5_000 });
  server.on('request', (request, response) => {
    answer(request, response).catch((error: unknown) => {
      log.warn('A call between services failed', { path: request.url, error });
      response.destroy();
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const abort = new AbortController();
    response.on('close', () => abort.abort());
    try {
      const [, , service = '', name = ''] = (request.url ?? '').split('/');
      const client = Object.hasOwn(services, service) ? services[service] : undefined;
      const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
      if (client && name === '' && request.method === 'GET') {
        tokens.verify(token, readyCall(service));
        return send(response, 200, { reason: ready(service) });
      }
      const call = client && Object.hasOwn(client, name) ? client[name] : undefined;
      if (!call || request.method !== 'POST') {
        throw new AppError('unavailable', `This process does not offer ${service}/${name}. Check --services.`);
      }
      const claims = tokens.verify(token, `${service}/${name}`);
      const sink = request.headers.accept === 'application/x-ndjson' ? createFrameSink(response) : undefined;
      const pieces = await readPieces(request);
      const takesBytes = request.headers['content-type'] === bytesType;
      const input = takesBytes
        ? parseStrictJson(Buffer.from(decodeURIComponent(String(request.headers[fieldsHeader] ?? '{}'))))
        : await parse(Buffer.concat(pieces));
      const context: CallContext = {
        requestId: claims.requestId,
        workspace: claims.workspace,
        actor: claims.actor,
        permissions: new Set(claims.permissions),
        deadline: claims.deadline,
        signal: abort.signal,
        ...(sink ? { sink } : {}),
        ...(takesBytes ? { body: pieces } : {}),
      };
      const result = await call(context, input as never);
      // What was streamed is not said again: nobody looks at it, and it may be long.
      const left = response.headersSent ? null : result;
      if (sink) writeHead(response).end(`${JSON.stringify({ result: left } satisfies Frame)}\n`);
      else send(response, 200, result ?? null);
    } catch (error) {
      const failure = toAppError(error);
      if (failure.code === 'internal') log.error('A service failed', { path: request.url, error });
      else if (failure.cause) log.warn('A call was refused', { path: request.url, code: failure.code, error });
      if (response.headersSent) response.end(`${JSON.stringify({ error: toWireError(failure) } satisfies Frame)}\n`);
      else send(response, failure.status, { error: toWireError(failure) });
    }
  }
  return server;
}

function send(response: ServerResponse, status: number, body: unknown) {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}

function writeHead(response: ServerResponse): ServerResponse {
  return response.headersSent ? response : response.writeHead(200, { 'content-type': 'application/x-ndjson' });
}

function createFrameSink(response: ServerResponse): EventSink {
  return {
    emit: (event, id, data) => writeHead(response).write(`${JSON.stringify({ event, id, data } satisfies Frame)}\n`),
    drained: () => drained(response),
  };
}

async function readPieces(request: IncomingMessage): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > callLimit) throw new AppError('too_large', 'A call between services is larger than it may be.');
    chunks.push(chunk);
  }
  return chunks;
}
