import { buildRequest, type Request, type SentBytes } from './build-request.ts';
import { DamaskError, errorFromResponse } from './damask-error.ts';
import type { Fetch, FetchResponse } from './fetch-like.ts';
import type { OperationName } from './generated.ts';
import { readableStream } from './readable-stream.ts';

export interface CallOptions {
  /** Gives up the call, and with it a run that it waits for. The call throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until `client_timeout`; of a stream, until its answer begins. 0: no limit. */
  readonly timeoutMs?: number | undefined;
}

export interface Connection {
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly workspace: string | undefined;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly signal: AbortSignal | undefined;
}

/** An answer whose head has arrived. Whoever holds it calls `close` when done. */
export interface OpenAnswer {
  readonly response: FetchResponse;
  /** What the caller sees instead of `error`, when the call's own limits caused it. */
  explain(error: unknown): unknown;
  stopTimeout(): void;
  close(): void;
}

/** Sends an operation until its answer begins; failures are DamaskErrors. */
export async function openOperation(
  connection: Connection,
  name: OperationName,
  input: object,
  options: CallOptions,
  accept: string,
  sent?: SentBytes,
): Promise<OpenAnswer> {
  const request = buildRequest(connection.url, name, input, sent);
  const signal = eitherSignal(connection.signal, options.signal);
  const keyed = (input as { idempotency_key?: string }).idempotency_key !== undefined;
  // The server answers a key once, however often it is sent; but what came from a stream is gone.
  const repeatable = !isStream(request.body) && (request.method === 'GET' || keyed);
  for (let attempt = 0; ; attempt++) {
    try {
      return await openOnce(connection, request, { ...options, signal }, accept);
    } catch (error) {
      const wait = repeatable && attempt < connection.retries ? retryDelay(error, attempt) : undefined;
      if (wait === undefined) throw error;
      await pause(wait, signal);
    }
  }
}

async function openOnce(
  connection: Connection,
  request: Request,
  options: CallOptions,
  accept: string,
): Promise<OpenAnswer> {
  const limits = startLimits(options.signal, options.timeoutMs ?? connection.timeoutMs);
  try {
    // As a method of something else a browser's own would not let itself be called.
    const { fetch } = connection;
    const response = await fetch(request.url, {
      method: request.method,
      headers: {
        accept,
        ...(connection.apiKey === undefined ? {} : { authorization: `Bearer ${connection.apiKey}` }),
        ...(connection.workspace === undefined ? {} : { 'damask-workspace': connection.workspace }),
        ...(request.body === undefined ? {} : { 'content-type': request.contentType }),
      },
      ...bodyOf(request),
      signal: limits.signal,
      redirect: 'manual',
    });
    if (response.status >= 200 && response.status <= 299) return { response, ...limits };
    throw errorFromResponse(response.status, response.headers.get('retry-after'), await response.text());
  } catch (error) {
    limits.close();
    const explained = limits.explain(error) ?? (error instanceof DamaskError ? error : undefined);
    if (explained !== undefined) throw explained;
    const detail = `No server answers at ${connection.url}. Start one with \`npm start\`, or check the address.`;
    throw new DamaskError('unreachable', detail, {}, { cause: error });
  }
}

function isStream(body: Request['body']): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && Symbol.asyncIterator in body;
}

function bodyOf({ body }: Request): Pick<Parameters<Fetch>[1], 'body' | 'duplex'> {
  if (body === undefined) return {};
  return isStream(body) ? { body: readableStream(body), duplex: 'half' } : { body };
}

function eitherSignal(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  return a && b ? AbortSignal.any([a, b]) : (a ?? b);
}

function startLimits(outer: AbortSignal | undefined, timeoutMs: number) {
  outer?.throwIfAborted();
  const controller = new AbortController();
  let late = false;
  const leave = () => controller.abort(outer?.reason);
  outer?.addEventListener('abort', leave, { once: true });
  const expire = () => {
    late = true;
    controller.abort();
  };
  const timer = timeoutMs > 0 ? setTimeout(expire, Math.min(timeoutMs, 2 ** 31 - 1)) : undefined;
  return {
    signal: controller.signal,
    stopTimeout: () => clearTimeout(timer),
    close() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', leave);
    },
    explain(error: unknown): unknown {
      if (outer?.aborted) return outer.reason;
      if (!late) return undefined;
      const detail = `No full answer came within ${timeoutMs} ms. Allow more with timeoutMs.`;
      return new DamaskError('client_timeout', detail, {}, { cause: error });
    },
  };
}

// Longer waits are the caller's to decide: they get the error with `retryAfter`.
const longestWaitSeconds = 30;

// Sent again only when the server asks for it or no answer came.
function retryDelay(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof DamaskError)) return undefined;
  if (error.code === 'unreachable') return 100 * 2 ** attempt * (0.5 + Math.random());
  const asked = error.status === 429 || error.status === 503 ? error.retryAfter : undefined;
  return asked !== undefined && asked <= longestWaitSeconds ? asked * 1000 : undefined;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', leave);
      resolve();
    }, ms);
    signal?.addEventListener('abort', leave, { once: true });
  });
}
