import type { Operations } from '@damask/contracts/operation.ts';
import { Pool } from 'undici';
import { AppError } from '../app-error.ts';
import type { CallContext, Client } from '../call.ts';
import type { ServiceTokens } from '../service-token.ts';
import { callPath, type Frame, fromWireError } from './wire.ts';

export interface RemoteClientOptions {
  readonly service: string;
  readonly operations: Operations;
  /** `http://host:port`, or any origin together with a socket path. */
  readonly origin: string;
  readonly socketPath?: string;
  readonly tokens: ServiceTokens;
}

/** A service in another process, with the same functions as one in this process. */
export function createRemoteClient<Contract extends Operations>(
  options: RemoteClientOptions,
): { client: Client<Contract>; close(): Promise<void> } {
  const { service, operations, origin, socketPath, tokens } = options;
  const pool = new Pool(origin, {
    connections: 32,
    connect: { timeout: 2_000, ...(socketPath ? { socketPath } : {}) },
  });
  const functions = Object.keys(operations).map((name) => {
    const call = async (context: CallContext, input: unknown) => {
      const streamed = context.sink !== undefined;
      const remaining = Math.max(1, context.deadline - Date.now());
      const response = await pool
        .request({
          path: callPath(service, name),
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: streamed ? 'application/x-ndjson' : 'application/json',
            authorization: `Bearer ${tokens.sign(context, `${service}/${name}`)}`,
          },
          body: JSON.stringify(input),
          signal: context.signal,
          headersTimeout: remaining,
          bodyTimeout: remaining,
        })
        .catch((error: unknown) => {
          throw unreachable(service, error);
        });
      if (response.headers['content-type'] === 'application/x-ndjson') {
        return readFrames(response.body, context, service);
      }
      const body: unknown = await response.body.json();
      if (response.statusCode !== 200) throw fromWireError((body as { error?: unknown }).error);
      return streamed ? (body as unknown) : body;
    };
    return [name, call] as const;
  });
  return { client: Object.fromEntries(functions) as unknown as Client<Contract>, close: () => pool.close() };
}

async function readFrames(body: AsyncIterable<Buffer>, context: CallContext, service: string): Promise<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() as string;
    for (const line of lines) {
      const frame = JSON.parse(line) as Frame;
      if ('result' in frame) return frame.result;
      if ('error' in frame) throw fromWireError(frame.error);
      if (context.sink?.emit(frame.event, frame.id, frame.data) === false) await context.sink.drained();
    }
  }
  throw unreachable(service, new Error('The stream ended without a result'));
}

function unreachable(service: string, cause: unknown): AppError {
  return new AppError(
    'unavailable',
    `The ${service} service does not answer. It is started again by itself; try again in a moment.`,
    { retryAfterSeconds: 1 },
    { cause },
  );
}
