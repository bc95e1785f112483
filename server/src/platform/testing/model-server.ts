import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ChatCall {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly stream: boolean;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  /** From 1. */
  readonly number: number;
}

export interface ModelServer {
  /** With `/v1`, as providers are configured. */
  readonly url: string;
  readonly calls: readonly ChatCall[];
  /** Connections that the client closed before the answer was complete. */
  readonly abandoned: number;
  close(): Promise<void>;
}

/** What a script can do with a call. Everything else it does on the response itself. */
export interface Answer {
  readonly response: ServerResponse;
  /** A complete answer, as a stream where one was asked for. */
  say(
    text: string,
    options?: { pieces?: readonly string[]; usage?: unknown; finish?: string | null; done?: boolean },
  ): void;
  /** One chunk of a stream; the head goes out with the first. */
  chunk(document: unknown): void;
}

export type Script = (call: ChatCall, answer: Answer) => void | Promise<void>;

const standardUsage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

/** A model server on loopback that speaks the OpenAI-compatible chat protocol and does what a script says. */
export async function startModelServer(
  script: Script = (_, answer) => answer.say('Hello.'),
  /** Names that it lists at `/models`; undefined: it lists none. */
  offered?: () => readonly string[],
): Promise<ModelServer> {
  const calls: ChatCall[] = [];
  let abandoned = 0;
  const server = createServer((request, response) => {
    response.on('close', () => {
      if (!response.writableFinished) abandoned += 1;
    });
    if (request.method === 'GET') {
      sendModels(response, offered?.());
      return;
    }
    void readCall(request, calls.length + 1).then(async (call) => {
      calls.push(call);
      await script(call, createAnswer(call, response));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    calls,
    get abandoned() {
      return abandoned;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function sendModels(response: ServerResponse, offered: readonly string[] | undefined) {
  if (offered === undefined) response.writeHead(404).end();
  else {
    const body = JSON.stringify({ object: 'list', data: offered.map((id) => ({ id, object: 'model' })) });
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  }
}

async function readCall(request: IncomingMessage, number: number): Promise<ChatCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}') as Record<string, unknown>;
  return {
    model: String(body.model),
    messages: (body.messages ?? []) as ChatCall['messages'],
    stream: body.stream === true,
    authorization: request.headers.authorization,
    body,
    number,
  };
}

function createAnswer(call: ChatCall, response: ServerResponse): Answer {
  const chunk = (document: unknown) => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: ${typeof document === 'string' ? document : JSON.stringify(document)}\n\n`);
  };
  return {
    response,
    chunk,
    say(text, { pieces = [text], usage = standardUsage, finish = 'stop', done = true } = {}) {
      if (!call.stream) {
        const document = {
          choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: finish }],
          usage,
        };
        const bytes = Buffer.from(JSON.stringify(document));
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
        return;
      }
      for (const piece of pieces) chunk({ choices: [{ index: 0, delta: { content: piece }, finish_reason: null }] });
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: finish }] });
      chunk({ choices: [], usage });
      if (done) chunk('[DONE]');
      response.end();
    },
  };
}
