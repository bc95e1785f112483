import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = (request: SeenRequest, response: ServerResponse) => unknown;

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** Replaces what the server answers from now on. */
  script(answer: Answer): void;
}

/** A server on a loopback port that answers what the test says. */
export async function startScriptedServer(answer: Answer): Promise<ScriptedServer> {
  let current = answer;
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(parts).toString() };
      seen.push(one);
      current(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    script: (next) => {
      current = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
) {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response
    .writeHead(status, { 'content-type': type, 'x-request-id': 'request-1', ...headers })
    .end(JSON.stringify(body));
}

export function sendProblem(
  response: ServerResponse,
  status: number,
  code: string,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
) {
  const body = { type: `urn:damask:error:${code}`, title: code, status, code, detail: `About ${code}.`, ...more };
  sendJson(response, status, { ...body, request_id: 'req-1' }, headers);
}

export function sseFrame(event: string, id: number, data: unknown): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const runId = '0199a000-0000-7000-8000-000000000001';

/** A finished run as the contract has it. */
export function finishedRun(changes: Record<string, unknown> = {}) {
  return {
    id: runId,
    status: 'succeeded',
    pattern: 'summarize',
    version: 3,
    digest: `sha256:${'0'.repeat(64)}`,
    environment: 'development',
    label: null,
    strategy: null,
    context: null,
    session: null,
    language: null,
    model: 'local/smollm2-135m-instruct',
    stream: false,
    actor: '0199a000-0000-7000-8000-0000000000aa',
    metadata: {},
    accepted_at: '2026-11-22T10:00:00.000Z',
    finished_at: '2026-11-22T10:00:01.250Z',
    stop_reason: 'stop',
    usage: { input_tokens: 120, output_tokens: 34, cached_input_tokens: null, reasoning_tokens: null },
    cost_micros: 1234,
    currency: 'USD',
    first_output_ms: 210.5,
    total_ms: 1250.25,
    error: null,
    attempts: [],
    sanitised: false,
    input: 'the mail',
    variables: {},
    attachments: [],
    output: 'A short answer.\n',
    ...changes,
  };
}
