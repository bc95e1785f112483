import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { ApiError, errorBody, toApiError } from './api-error.ts';
import { type ChatRequest, readChatRequest } from './chat-request.ts';
import type { Access } from './load-vendors.ts';
import type { Content, FinishReason, Usage, VendorModel } from './vendor-model.ts';

type FindModel = (access: Access, model: string) => Promise<VendorModel>;

// A run's attachments in base64, with room for the rest.
const maxBodyBytes = 64 * 1024 * 1024;
const longestMs = 15 * 60_000;

/** The OpenAI-compatible door to the vendors. Who may call whom travels with each call and is kept nowhere. */
export function createChatEndpoint(findModel: FindModel): RequestListener {
  async function complete(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort(new Error('The client left.')));
    const abortSignal = AbortSignal.any([gone.signal, AbortSignal.timeout(longestMs)]);
    const access = readAccess(request.headers.authorization);
    const chat = readChatRequest(parseJson(await readBody(request)));
    const model = await findModel(access, chat.model);
    await (chat.stream ? streamAnswer : wholeAnswer)(response, chat, model, abortSignal);
  }
  return (request, response) => {
    const known = request.method === 'POST' && request.url === '/v1/chat/completions';
    const answered = known ? complete(request, response) : Promise.reject(new ApiError(404, 'not_found', 'Not here.'));
    answered.catch((error: unknown) => sendError(response, toApiError(error)));
  };
}

const header = (chat: ChatRequest) => ({ id: `chatcmpl-${randomUUID()}`, created: 0, model: chat.model });

async function wholeAnswer(response: ServerResponse, chat: ChatRequest, model: VendorModel, abortSignal: AbortSignal) {
  const { content, finishReason, usage } = await model.doGenerate({ ...chat.options, abortSignal });
  const calls = content.filter(({ type }) => type === 'tool-call').map(toCall);
  const text = content.map(({ type, text }) => (type === 'text' ? (text ?? '') : '')).join('');
  const message = { role: 'assistant', content: text, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
  const choices = [{ index: 0, message, finish_reason: toReason(finishReason) }];
  sendJson(response, 200, { ...header(chat), object: 'chat.completion', choices, usage: toUsage(usage) });
}

async function streamAnswer(response: ServerResponse, chat: ChatRequest, model: VendorModel, abortSignal: AbortSignal) {
  const { stream } = await model.doStream({ ...chat.options, abortSignal });
  const common = { ...header(chat), object: 'chat.completion.chunk' };
  const send = async (data: object) => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    const free = response.write(`data: ${JSON.stringify({ ...common, ...data })}\n\n`);
    if (!free) await once(response, 'drain', { signal: abortSignal });
  };
  let calls = 0;
  let finished = false;
  for await (const part of stream) {
    if (part.type === 'error') throw part.error;
    if (part.type === 'text-delta' && part.delta) {
      await send({ choices: [{ index: 0, delta: { content: part.delta }, finish_reason: null }] });
    } else if (part.type === 'tool-call') {
      const tool_calls = [{ ...toCall(part), index: calls++ }];
      await send({ choices: [{ index: 0, delta: { tool_calls }, finish_reason: null }] });
    } else if (part.type === 'finish') {
      finished = true;
      const finish_reason = toReason(part.finishReason ?? { unified: 'other' });
      await send({ choices: [{ index: 0, delta: {}, finish_reason }] });
      await send({ choices: [], usage: toUsage(part.usage ?? {}) });
    }
  }
  // Without the vendor's own end the platform must take the answer for cut off.
  if (!finished) throw new ApiError(502, 'vendor_unreachable', 'The vendor ended its answer before its end.');
  response.end('data: [DONE]\n\n');
}

function toCall({ toolCallId, toolName, input }: Content): object {
  return { id: toolCallId, type: 'function', function: { name: toolName, arguments: input ?? '{}' } };
}

const reasons: Readonly<Record<string, string>> = { 'content-filter': 'content_filter', 'tool-calls': 'tool_calls' };

function toReason({ unified }: FinishReason): string {
  // The packages say so when a vendor's stream stopped short; as a reason it would look like a whole answer.
  if (unified === 'error') throw new ApiError(502, 'vendor_error', 'The vendor ended its answer with an error.');
  return reasons[unified] ?? unified;
}

function toUsage({ inputTokens, outputTokens }: Usage): object {
  return {
    prompt_tokens: inputTokens?.total,
    completion_tokens: outputTokens?.total,
    prompt_tokens_details: { cached_tokens: inputTokens?.cacheRead },
    completion_tokens_details: { reasoning_tokens: outputTokens?.reasoning },
  };
}

function sendError(response: ServerResponse, error: ApiError): void {
  if (response.destroyed) return;
  if (response.headersSent) {
    response.write(`data: ${JSON.stringify(errorBody(error))}\n\n`, () => response.destroy());
    return;
  }
  if (error.retryAfter !== null) response.setHeader('retry-after', error.retryAfter);
  if (error.status === 413) response.setHeader('connection', 'close');
  sendJson(response, error.status, errorBody(error));
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
}

function readAccess(authorization: string | undefined): Access {
  try {
    const sealed = (authorization ?? '').replace(/^Bearer /, '');
    return JSON.parse(Buffer.from(sealed, 'base64url').toString('utf8')) as Access;
  } catch {
    throw new ApiError(401, 'no_access', 'The call names no vendor.');
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new ApiError(413, 'too_large', `A call has ${maxBodyBytes} bytes at most.`);
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
