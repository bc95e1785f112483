import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { ApiError, errorBody } from './api-error.ts';
import { type ChatRequest, readChatRequest } from './chat-request.ts';
import type { Engine, Outcome, Prompt, Sequence } from './load-engine.ts';
import { createSlots } from './slots.ts';

// The platform's own limit of a run's body, doubled for JSON's escapes.
const maxBodyBytes = 8 * 1024 * 1024;

/** The OpenAI-compatible door of one loaded model. A client that leaves stops its generation. */
export function createChatEndpoint(options: { engine: Engine; name: string; maxWaiting: number }): RequestListener {
  const { engine, name } = options;
  const slots = createSlots<Sequence>(engine.sequences, options.maxWaiting);

  async function complete(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort(new Error('The client left.')));
    const chat = readChatRequest(parseJson(await readBody(request)));
    const prompt = engine.prepare(chat.messages);
    const sequence = await slots.take(gone.signal);
    try {
      const answer = chat.stream ? streamAnswer : wholeAnswer;
      await answer(response, chat, prompt, (onText) =>
        engine.generate(sequence, prompt, chat.sampling, onText, gone.signal),
      );
    } finally {
      slots.give(sequence);
    }
  }

  type Generate = (onText: (text: string) => void) => Promise<Outcome>;
  const header = () => ({ id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: name });

  async function wholeAnswer(response: ServerResponse, _chat: ChatRequest, prompt: Prompt, generate: Generate) {
    let content = '';
    const outcome = await generate((text) => {
      content += text;
    });
    const choice = {
      index: 0,
      message: { role: 'assistant', content },
      logprobs: null,
      finish_reason: outcome.finishReason,
    };
    sendJson(response, 200, {
      ...header(),
      object: 'chat.completion',
      choices: [choice],
      usage: usageOf(prompt, outcome),
    });
  }

  async function streamAnswer(response: ServerResponse, chat: ChatRequest, prompt: Prompt, generate: Generate) {
    const common = { ...header(), object: 'chat.completion.chunk' };
    const send = (data: object) => response.write(`data: ${JSON.stringify(data)}\n\n`);
    const chunk = (delta: object, finish_reason: string | null = null) =>
      send({
        ...common,
        choices: [{ index: 0, delta, logprobs: null, finish_reason }],
        ...(chat.includeUsage ? { usage: null } : {}),
      });
    // Not before the first text: until then a failure still gets its own status, and the caller's first-byte clock covers
    // the wait for a slot and the reading of a long prompt.
    const begin = () => {
      if (response.headersSent) return;
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
      chunk({ role: 'assistant', content: '' });
    };
    const outcome = await generate((content) => {
      if (content === '') return;
      begin();
      chunk({ content });
    });
    begin();
    chunk({}, outcome.finishReason);
    if (chat.includeUsage) send({ ...common, choices: [], usage: usageOf(prompt, outcome) });
    response.end('data: [DONE]\n\n');
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0];
    if (path === '/v1/chat/completions' && request.method === 'POST') return complete(request, response);
    if (path === '/v1/models' && request.method === 'GET') {
      const model = { id: name, object: 'model', owned_by: 'local', context_length: engine.contextSize };
      return sendJson(response, 200, { object: 'list', data: [model] });
    }
    if (path === '/health' && request.method === 'GET')
      return sendJson(response, 200, { status: 'ok', ...slots.count() });
    throw new ApiError(404, 'not_found', 'There are POST /v1/chat/completions, GET /v1/models and GET /health here.');
  }

  return (request, response) => {
    answer(request, response).catch((error: unknown) => sendError(response, error));
  };
}

function usageOf(prompt: Prompt, outcome: Outcome): object {
  const { completionTokens } = outcome;
  const promptTokens = prompt.tokens.length;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

function sendError(response: ServerResponse, cause: unknown): void {
  if (response.destroyed) return;
  const known = cause instanceof ApiError;
  if (!known) process.stderr.write(`${cause instanceof Error ? cause.stack : String(cause)}\n`);
  const error = known ? cause : new ApiError(500, 'internal', 'The local model failed. Its log has the cause.');
  if (response.headersSent) {
    // The stream ends without its proper end, so that nobody takes half an answer for a whole one.
    response.write(`data: ${JSON.stringify(errorBody(error))}\n\n`, () => response.destroy());
    return;
  }
  if (error.retryAfterSeconds !== null) response.setHeader('retry-after', String(error.retryAfterSeconds));
  // What is left of a body that was refused is not worth reading.
  if (error.status === 413) response.setHeader('connection', 'close');
  sendJson(response, error.status, errorBody(error));
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new ApiError(413, 'too_large', `The body may have ${maxBodyBytes} bytes at most.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new ApiError(400, 'invalid_json', `The body is not JSON: ${(cause as Error).message}`);
  }
}
