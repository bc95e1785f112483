import { Readable } from 'node:stream';
import type { Operations } from '@damask/contracts/operation.ts';
import { Pool } from 'undici';
import { AppError } from '../app-error.ts';
import type { CallContext, Client, EventSink } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { ServiceTokens } from '../service-token.ts';
import { systemContext } from '../system-context.ts';
import { deadlinePassed } from './door.ts';
import {
  bytesType,
  callPath,
  type Frame,
  fieldsHeader,
  fromWireError,
  readyCall,
  readyPath,
  uploadType,
  uploadTypeHeader,
} from './wire.ts';

export interface RemoteClientOptions {
  readonly service: string;
  readonly operations: Operations;
  /** `http://host:port`, or any origin together with a socket path. */
  readonly origin: string;
  readonly socketPath?: string;
  readonly tokens: ServiceTokens;
  readonly clock: Clock;
}

export interface RemoteClient<Contract extends Operations> {
  readonly client: Client<Contract>;
  /** Why the service cannot take calls, or null. */
  ready(): Promise<string | null>;
  close(): Promise<void>;
}

const readyWithin = 2_000;
/** Longer than the run path waits for a reader: it is the one that ends the run, and this only frees what the edge holds. */
const readerWithin = 45_000;

/** A service in another process, with the same functions as one in this process. */
export function createRemoteClient<Contract extends Operations>(options: RemoteClientOptions): RemoteClient<Contract> {
  const { service, operations, origin, socketPath, tokens, clock } = options;
  // As many connections as calls, which the edge bounds: a run holds one for minutes, and nobody must wait behind it.
  const pool = new Pool(origin, { connect: { timeout: 2_000, ...(socketPath ? { socketPath } : {}) } });

  async function send(name: string, context: CallContext, input: unknown): Promise<unknown> {
    const remaining = Math.max(1, context.deadline - clock.now());
    const content = contentOf(context, input);
    const response = await pool.request({
      path: callPath(service, name),
      method: 'POST',
      headers: {
        ...content.headers,
        accept: context.sink ? 'application/x-ndjson' : 'application/json',
        authorization: `Bearer ${tokens.sign(context, `${service}/${name}`)}`,
      },
      body: content.body,
      signal: context.signal,
      headersTimeout: remaining,
      bodyTimeout: remaining,
    });
    if (response.headers['content-type'] === 'application/x-ndjson') {
      return readFrames(response.body, context.sink, clock);
    }
    const body: unknown = await response.body.json();
    if (response.statusCode === 200) return body;
    const failure = fromWireError((body as { error?: unknown }).error);
    throw failure.code === 'unauthenticated' ? notTrusted(service, failure) : failure;
  }

  const functions = Object.keys(operations).map((name) => {
    const call = (context: CallContext, input: unknown) =>
      send(name, context, input).catch((error: unknown) => {
        throw toFailure(service, error, context.signal);
      });
    return [name, call] as const;
  });
  return {
    client: Object.fromEntries(functions) as unknown as Client<Contract>,
    async ready() {
      try {
        const context = systemContext(clock);
        const { statusCode, body } = await pool.request({
          path: readyPath(service),
          method: 'GET',
          headers: { authorization: `Bearer ${tokens.sign(context, readyCall(service))}` },
          headersTimeout: readyWithin,
          bodyTimeout: readyWithin,
        });
        const answer = (await body.json()) as { reason: string | null; error?: unknown };
        if (statusCode === 401) throw notTrusted(service, answer.error);
        return statusCode === 200 ? answer.reason : fromWireError(answer.error).message;
      } catch (error) {
        return toFailure(service, error).message;
      }
    },
    close: () => pool.destroy(),
  };
}

const jsonContent = (input: unknown) => ({
  headers: { 'content-type': 'application/json' } as Record<string, string>,
  body: JSON.stringify(input) as string | Readable,
});

function contentOf({ upload, body }: CallContext, input: unknown): ReturnType<typeof jsonContent> {
  if (upload) {
    const { headers, body: bytes } = bytesContent(upload.bytes, input);
    return { headers: { ...headers, 'content-type': uploadType, [uploadTypeHeader]: upload.type }, body: bytes };
  }
  return body ? bytesContent(body, input) : jsonContent(input);
}

/** Bytes travel as they are; the fields beside them are few and short. */
const bytesContent = (
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  input: unknown,
): ReturnType<typeof jsonContent> => ({
  headers: { 'content-type': bytesType, [fieldsHeader]: encodeURIComponent(JSON.stringify(input)) },
  body: Readable.from(pieces, { objectMode: false }),
});

async function readFrames(body: AsyncIterable<Buffer>, sink: EventSink | undefined, clock: Clock): Promise<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  let end: Frame | undefined;
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() as string;
    for (const line of lines) {
      const frame = JSON.parse(line) as Frame;
      if (!('event' in frame)) end = frame;
      else if (sink?.emit(frame.event, frame.id, frame.data) === false) await waitForReader(sink, clock);
    }
  }
  if (end && 'result' in end) return end.result;
  if (end && 'error' in end) throw fromWireError(end.error);
  throw new Error('The stream ended without a result');
}

async function waitForReader(sink: EventSink, clock: Clock): Promise<void> {
  let give: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    const timer = clock.after(readerWithin, () =>
      reject(new AppError('slow_consumer', 'The client took nothing for too long. Read the stream faster.')),
    );
    give = () => timer.cancel();
  });
  await Promise.race([sink.drained(), late]).finally(give);
}

/** The caller's own credential is not what is wrong, so this must not leave as 401. */
function notTrusted(service: string, cause: unknown): AppError {
  return new AppError(
    'unavailable',
    `The ${service} service does not trust this process. Give both the same DAMASK_SERVICE_SECRET and clocks that agree.`,
    {},
    { cause },
  );
}

function toFailure(service: string, error: unknown, signal?: AbortSignal): AppError {
  if (error instanceof AppError) return error;
  if (signal?.aborted) return new AppError('unavailable', 'The caller left.');
  const code = (error as { code?: unknown }).code;
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return deadlinePassed();
  return new AppError(
    'unavailable',
    `The ${service} service does not answer. Try again in a moment; /readyz tells when it does.`,
    { retryAfterSeconds: 1 },
    { cause: error },
  );
}
