import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AppError, toAppError } from '../app-error.ts';
import type { CallContext, EventSink, Upload } from '../call.ts';
import { type Clock, systemClock } from '../clock.ts';
import { drained } from '../drained.ts';
import type { Log } from '../log.ts';
import { readUpload } from '../read-upload.ts';
import type { ServiceTokens } from '../service-token.ts';
import { parseStrictJson } from '../strict-json.ts';
import { bytesType, type Frame, fieldsHeader, readyCall, toWireError, uploadType, uploadTypeHeader } from './wire.ts';

type AnyClient = Readonly<Record<string, (context: CallContext, input: never) => Promise<unknown>>>;

/** Largest body of a call between processes: an archive of a whole library. */
const callLimit = 64 * 1024 * 1024;
const inlineParse = 256 * 1024;
/** The edge holds uploads to the limit of their operation; this is a bound for all of them. */
const uploadLimit = 16 * 1024 ** 3;
/** Milliseconds for a call to arrive: an upload takes as long as its sender. */
const arriveWithin = 3_700_000;

/** Serves the services of this process to the others. The listener is a unix socket or an address of the inner network. */
export function serveCalls(options: {
  services: Readonly<Record<string, AnyClient>>;
  tokens: ServiceTokens;
  log: Log;
  /** Why a service of this process cannot take calls, or null. */
  ready?: (service: string) => string | null;
  /** Parses large bodies away from the event loop. */
  parseLarge?: (bytes: Buffer) => Promise<unknown>;
  clock?: Clock;
}): Server {
  const { services, tokens, log, ready = () => null, parseLarge = parseStrictJson, clock = systemClock } = options;
  const parse = (bytes: Buffer) => (bytes.length > inlineParse ? parseLarge(bytes) : parseStrictJson(bytes));
  const server = createServer({ requestTimeout: arriveWithin, connectionsCheckingInterval: 5_000 });
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
      const upload = uploadOf(request, clock);
      const pieces = upload ? [] : await readPieces(request);
      const takesBytes = upload !== undefined || request.headers['content-type'] === bytesType;
      const input = takesBytes
        ? parseStrictJson(Buffer.from(decodeURIComponent(String(request.headers[fieldsHeader] ?? '{}'))))
        : await parse(Buffer.concat(pieces));
      const context: CallContext = {
        requestId: claims.requestId,
        workspace: claims.workspace,
        actor: claims.actor,
        permissions: new Set(claims.permissions),
        reach: claims.reach,
        ...(claims.address === undefined ? {} : { address: claims.address }),
        ...(claims.reason === undefined ? {} : { reason: claims.reason }),
        deadline: claims.deadline,
        signal: abort.signal,
        ...(sink ? { sink } : {}),
        ...(upload ? { upload } : takesBytes ? { body: pieces } : {}),
      };
      const result = await call(context, input as never);
      // What was streamed is not said again, except whose it is: nobody looks at more, and it may be long.
      const left = response.headersSent ? makerOf(result) : result;
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

function makerOf(result: unknown): { readonly actor: string } | null {
  const { actor } = (result ?? {}) as { actor?: unknown };
  return typeof actor === 'string' ? { actor } : null;
}

function uploadOf(request: IncomingMessage, clock: Clock): Upload | undefined {
  if (request.headers['content-type'] !== uploadType) return undefined;
  const type = String(request.headers[uploadTypeHeader] ?? '');
  return { type, bytes: readUpload(request, uploadLimit, clock) };
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
