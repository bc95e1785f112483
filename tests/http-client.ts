import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';

export interface HttpReply {
  readonly status: number;
  /** Names in lower case, in the order of the answer, without those that differ each time. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text: string;
  /** Parsed when it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as they come.
  readonly body: any;
}

/** A body that is no JSON. */
export class RawBody {
  readonly type: string;
  readonly bytes: Buffer;

  constructor(type: string, bytes: Buffer) {
    this.type = type;
    this.bytes = bytes;
  }
}

export interface SendOptions {
  readonly key?: string | null;
  /** Sent as JSON unless it is text or bytes. */
  readonly body?: unknown;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Aborts the request midway. */
  readonly signal?: AbortSignal;
}

export interface HttpClient {
  send(method: string, path: string, options?: SendOptions): Promise<HttpReply>;
  close(): void;
}

/** Milliseconds after which a stream of events has said what it has to say. */
const longestSilence = 2_000;

const changing = new Set(['date', 'x-request-id', 'connection', 'keep-alive']);

/**
 * Sends what it is told, header by header, also twice the same one, over connections that it keeps. `from`: the last
 * number of its own address in 127.0.0.0/8, because guesses of keys are counted by address; Linux only.
 */
export function createHttpClient(url: string, options: { readonly from?: number } = {}): HttpClient {
  const { hostname, port } = new URL(url);
  const own = options.from !== undefined && process.platform === 'linux';
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 64,
    ...(own ? { localAddress: `127.0.0.${options.from}` } : {}),
  });
  return {
    send(method, path, { key = null, body, headers = [], signal } = {}) {
      const raw = body instanceof RawBody ? body : undefined;
      const bytes =
        raw?.bytes ??
        (body === undefined || Buffer.isBuffer(body)
          ? body
          : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
      const named = new Set(headers.map(([name]) => name.toLowerCase()));
      const sent = [
        ['host', `${hostname}:${port}`],
        ...(key === null ? [] : [['authorization', `Bearer ${key}`]]),
        ...(bytes === undefined || named.has('content-type')
          ? []
          : [['content-type', raw?.type ?? 'application/json']]),
        ...(bytes === undefined && method === 'GET' ? [] : [['content-length', String(bytes?.length ?? 0)]]),
        ...headers,
      ];
      return new Promise((resolve, reject) => {
        const request = httpRequest({ agent, hostname, port, method, path, headers: sent.flat(), signal });
        request.on('error', reject);
        request.on('response', (response) => readReply(response).then(resolve, reject));
        request.end(bytes);
      });
    },
    close: () => agent.destroy(),
  };
}

async function readReply(response: IncomingMessage): Promise<HttpReply> {
  const chunks: Buffer[] = [];
  // The stream of a run that waits for a person would never end.
  const events = response.headers['content-type']?.includes('event-stream');
  const silence = events ? setTimeout(() => response.destroy(), longestSilence) : undefined;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      silence?.refresh();
    }
  } catch (error) {
    if (!silence || (error as { code?: string }).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  } finally {
    clearTimeout(silence);
  }
  const text = Buffer.concat(chunks).toString();
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < response.rawHeaders.length; i += 2) {
    const name = (response.rawHeaders[i] as string).toLowerCase();
    if (!changing.has(name)) headers.push([name, response.rawHeaders[i + 1] as string]);
  }
  const json = /\bjson\b/.test(response.headers['content-type'] ?? '') && text !== '';
  return { status: response.statusCode ?? 0, headers, text, body: json ? JSON.parse(text) : undefined };
}
