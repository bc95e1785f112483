import type { ServerResponse } from 'node:http';
import { Pool } from 'undici';
import { systemClock } from '#platform/clock.ts';
import { startVendorServer, type VendorScript } from '#platform/testing/vendor-server.ts';
import { type AdapterOptions, createAdapter } from './create-adapter.ts';
import type { ModelRequest, ModelResult } from './model-call.ts';

/** How a vendor's stream looks on the wire: what stands between pieces of text, and what its end is. */
export interface Vendor {
  readonly protocol: AdapterOptions['protocol'];
  readonly streamType: string;
  /** Documents before the first text. */
  readonly opening: readonly object[];
  piece(text: string): object;
  /** Documents after the last text, the vendor's own end among them; `usage` is in its words. */
  closing(usage?: object): readonly (object | string)[];
  /** A whole answer. */
  whole(text: string, usage?: object): object;
  /** Usage of 11 tokens read and 7 written, in the vendor's words; fields by the same names with other counts. */
  usage(input: unknown, output: unknown): object;
  readonly error: object;
  readonly frame: (document: object | string) => string;
}

const event = (document: object | string) =>
  `data: ${typeof document === 'string' ? document : JSON.stringify(document)}\n\n`;
const line = (document: object | string) => `${JSON.stringify(document)}\n`;

const openai: Vendor = {
  protocol: 'openai',
  streamType: 'text/event-stream',
  opening: [{ choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }],
  piece: (text) => ({ choices: [{ index: 0, delta: { content: text } }] }),
  closing: (usage) => [
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    ...(usage ? [{ choices: [], usage }] : []),
    '[DONE]',
  ],
  whole: (text, usage) => ({ choices: [{ message: { content: text }, finish_reason: 'stop' }], usage }),
  usage: (input, output) => ({ prompt_tokens: input, completion_tokens: output }),
  error: { error: { message: 'gone wrong, sk-secret', type: 'server_error' } },
  frame: event,
};

export const vendors: readonly Vendor[] = [
  openai,
  { ...openai, protocol: 'azure', opening: [{ choices: [], prompt_filter_results: [] }] },
  {
    protocol: 'anthropic',
    streamType: 'text/event-stream; charset=utf-8',
    opening: [
      { type: 'message_start', message: { id: 'msg_1', content: [], usage: { output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
    ],
    piece: (text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    closing: (usage) => [
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn' },
        ...(usage ? { usage } : { usage: { output_tokens: null } }),
      },
      { type: 'message_stop' },
    ],
    whole: (text, usage) => ({ type: 'message', content: [{ type: 'text', text }], stop_reason: 'end_turn', usage }),
    usage: (input, output) => ({ input_tokens: input, output_tokens: output }),
    error: { type: 'error', error: { type: 'api_error', message: 'gone wrong, sk-secret' } },
    frame: (document) => `event: ${(document as { type: string }).type ?? 'x'}\n${event(document)}`,
  },
  {
    protocol: 'gemini',
    streamType: 'text/event-stream',
    opening: [],
    piece: (text) => ({ candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0 }] }),
    closing: (usage) => [
      {
        candidates: [{ content: { parts: [{ text: '' }] }, finishReason: 'STOP' }],
        ...(usage ? { usageMetadata: usage } : {}),
      },
    ],
    whole: (text, usage) => ({
      candidates: [{ content: { parts: [{ text }] }, finishReason: 'STOP' }],
      ...(usage ? { usageMetadata: usage } : {}),
    }),
    usage: (input, output) => ({ promptTokenCount: input, candidatesTokenCount: output }),
    error: { error: { code: 500, message: 'gone wrong, sk-secret', status: 'INTERNAL' } },
    frame: event,
  },
  {
    protocol: 'ollama',
    streamType: 'application/x-ndjson',
    opening: [],
    piece: (text) => ({ model: 'm', message: { role: 'assistant', content: text }, done: false }),
    closing: (usage) => [{ message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', ...usage }],
    whole: (text, usage) => ({
      message: { role: 'assistant', content: text },
      done: true,
      done_reason: 'stop',
      ...usage,
    }),
    usage: (input, output) => ({ prompt_eval_count: input, eval_count: output }),
    error: { error: 'gone wrong, sk-secret' },
    frame: line,
  },
];

/** All bytes of a good stream. */
export function streamOf(vendor: Vendor, pieces: readonly string[], usage = vendor.usage(11, 7)): string {
  return [...vendor.opening, ...pieces.map(vendor.piece), ...vendor.closing(usage)].map(vendor.frame).join('');
}

export function beginStream(vendor: Vendor, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': vendor.streamType });
}

export interface Opened {
  readonly server: Awaited<ReturnType<typeof startVendorServer>>;
  call(request?: Partial<ModelRequest>): Promise<ModelResult & { text: string }>;
  begin(request?: Partial<ModelRequest>): {
    readonly done: Promise<ModelResult & { text: string }>;
    abort(): void;
    resume(): void;
  };
  close(): Promise<unknown>;
}

/** A port to a scripted vendor. */
export async function openVendor(
  protocol: AdapterOptions['protocol'],
  script: VendorScript,
  options: Partial<AdapterOptions> = {},
): Promise<Opened> {
  const server = await startVendorServer(script);
  const pool = new Pool(server.origin);
  const port = createAdapter({
    protocol,
    provider: protocol,
    pool,
    baseUrl: server.origin,
    apiKey: 'sk-secret',
    maxTokensField: 'max_tokens',
    defaultMaxTokens: 1_000,
    firstByteMs: 5_000,
    idleMs: 5_000,
    redact: (text) => text.replaceAll('sk-secret', '[redacted]'),
    clock: systemClock,
    ...options,
  });
  const begin: Opened['begin'] = (request) => {
    let text = '';
    const exchange = port.call({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      parameters: {},
      stream: false,
      timeoutMs: 5_000,
      onText: (piece) => {
        text += piece;
        return true;
      },
      ...request,
    });
    return {
      done: exchange.done.then((result) => ({ ...result, text })),
      abort: () => exchange.abort('run_cancelled', 'enough'),
      resume: () => exchange.resume(),
    };
  };
  return {
    server,
    begin,
    call: (request) => begin(request).done,
    close: () => Promise.all([pool.destroy(), server.close()]),
  };
}
