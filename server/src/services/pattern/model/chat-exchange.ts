import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Usage } from '@damask/contracts/run.ts';
import type { Dispatcher } from 'undici';
import { AppError } from '#platform/app-error.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import { errorText, readChatPart } from './chat-answer.ts';
import { createDataLines } from './line-reader.ts';
import { type ModelCall, type ModelRequest, type ModelResult, unknownUsage } from './model-call.ts';
import { fromConnection, fromStatus, type ProviderFailure } from './provider-failure.ts';

export interface ExchangeOptions {
  /** For messages: `openai`, `ollama`. */
  readonly provider: string;
  readonly firstByteMs: number;
  readonly idleMs: number;
  /** Takes secrets out of what a provider said. */
  readonly redact: (text: string) => string;
  readonly clock: Clock;
}

const largestAnswer = 16 * 1024 * 1024;
const largestRefusal = 64 * 1024;
/** Characters of a provider's own words that are looked at; far fewer are told. */
const longestQuote = 16 * 1024;

/** One request and its answer. Holds the state of the exchange until exactly one result is told. */
export class Exchange implements ModelCall, Dispatcher.DispatchHandler {
  readonly done: Promise<ModelResult>;
  readonly #options: ExchangeOptions;
  readonly #request: ModelRequest;
  readonly #started: number;
  #tell!: (result: ModelResult) => void;
  #settled = false;
  #controller: Dispatcher.DispatchController | undefined;
  #aborted: ProviderFailure | undefined;
  #phase: Timer | undefined;
  #lastActivity: number;
  readonly #total: Timer;
  #status: number | null = null;
  #retryAfter: string | undefined;
  #lines: ReturnType<typeof createDataLines> | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #stopReason: string | null = null;
  #usage: Usage = unknownUsage;
  #ended = false;
  #paused = false;
  #firstOutputMs: number | null = null;

  constructor(options: ExchangeOptions, request: ModelRequest) {
    this.#options = options;
    this.#request = request;
    const { clock } = options;
    this.#started = clock.monotonic();
    this.#lastActivity = this.#started;
    this.done = new Promise((tell) => {
      this.#tell = tell;
    });
    this.#total = clock.after(request.timeoutMs, () =>
      this.abort(
        'timeout',
        `${options.provider} did not finish within ${request.timeoutMs} ms. Allow more time or send less.`,
      ),
    );
    if (request.stream) this.#watchIdle(options.firstByteMs, 'began no answer');
  }

  abort(code: ErrorCode, detail: string) {
    if (this.#settled || this.#aborted) return;
    this.#aborted = { code, detail };
    // First told, then cut: cutting reports an error of its own.
    this.#fail(this.#aborted);
    this.#controller?.abort(new Error(detail));
  }

  resume() {
    if (!this.#paused) return;
    this.#paused = false;
    this.#lastActivity = this.#options.clock.monotonic();
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController) {
    this.#controller = controller;
    if (this.#aborted) controller.abort(new Error(this.#aborted.detail));
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ) {
    if (status < 200) return;
    this.#status = status;
    const type = String(headers['content-type'] ?? '');
    const retryAfter = headers['retry-after'];
    this.#retryAfter = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
    if (status === 200 && type.includes('text/event-stream')) {
      this.#lines = createDataLines((data) => this.#onEvent(data));
    } else if (status === 200 && !type.includes('json')) {
      this.abort(
        'provider_protocol_error',
        `${this.#options.provider} answered ${type || 'no content type'} instead of JSON. Check its address.`,
      );
      return;
    }
    this.#watchIdle(this.#options.idleMs, 'fell silent');
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer) {
    if (this.#settled) return;
    this.#lastActivity = this.#options.clock.monotonic();
    this.#bytes += chunk.length;
    if (this.#lines) {
      const fits = this.#lines.push(chunk);
      if (!fits || this.#bytes > largestAnswer) this.#tooLarge();
      else if (this.#paused) controller.pause();
      return;
    }
    if (this.#bytes > (this.#status === 200 ? largestAnswer : largestRefusal)) this.#tooLarge();
    else this.#chunks.push(chunk);
  }

  onResponseEnd() {
    if (this.#settled) return;
    const { provider } = this.#options;
    if (this.#status !== 200) return this.#refused();
    if (!this.#lines) return this.#readWhole();
    if (this.#stopReason === null || !this.#ended) {
      return this.#fail({
        code: 'truncated',
        detail: `The stream of ${provider} ended without its proper end. Run it again.`,
      });
    }
    this.#succeed();
  }

  onResponseError(_: unknown, error: Error) {
    if (this.#settled) return;
    if (error instanceof AppError || error.cause instanceof AppError) {
      const refused = (error instanceof AppError ? error : error.cause) as AppError;
      this.#fail({ code: refused.code, detail: refused.message });
      return;
    }
    this.#fail(fromConnection(this.#options.provider, error, this.#status !== null));
  }

  #onEvent(data: string) {
    if (this.#settled || this.#ended) return;
    if (data === '[DONE]') {
      this.#ended = true;
      return;
    }
    let document: unknown;
    try {
      document = JSON.parse(data);
    } catch {
      this.abort('provider_protocol_error', `${this.#options.provider} sent an event that is not JSON. Run it again.`);
      return;
    }
    this.#take(document);
  }

  #take(document: unknown) {
    const part = readChatPart(document);
    if (!part) return;
    if (part.error !== null) {
      this.abort(
        'provider_error',
        `${this.#options.provider} failed in the middle of the answer: ${this.#quote(part.error)}`,
      );
      return;
    }
    if (part.usage) this.#usage = part.usage;
    if (part.stopReason !== null) this.#stopReason = part.stopReason;
    if (part.text === '') return;
    this.#firstOutputMs ??= this.#options.clock.monotonic() - this.#started;
    if (!this.#request.onText(part.text)) this.#paused = true;
  }

  #readWhole() {
    let document: unknown;
    try {
      document = JSON.parse(this.#body());
    } catch {
      return this.#fail({
        code: 'truncated',
        detail: `The answer of ${this.#options.provider} is not whole JSON. Run it again.`,
      });
    }
    const part = readChatPart(document);
    if (
      !part ||
      (part.error === null && !Array.isArray((document as { choices: unknown[] }).choices)) ||
      this.#lacksChoice(document)
    ) {
      return this.#fail({
        code: 'provider_protocol_error',
        detail: `${this.#options.provider} answered JSON without choices. Check that its address speaks the chat protocol.`,
      });
    }
    this.#take(document);
    this.#stopReason ??= 'stop';
    this.#succeed();
  }

  #lacksChoice(document: unknown): boolean {
    const { choices, error } = document as { choices?: unknown[]; error?: unknown };
    return error == null && (choices?.length ?? 0) === 0;
  }

  #refused() {
    const { provider } = this.#options;
    let said = this.#body();
    try {
      said = errorText(JSON.parse(said));
    } catch {
      // Not JSON: a proxy's page, perhaps; quoted as it is.
    }
    this.#fail(fromStatus(provider, this.#request.model, this.#status as number, this.#quote(said), this.#retryAfter));
  }

  #quote(text: string): string {
    return this.#options.redact(text.slice(0, longestQuote).toWellFormed()).replaceAll(/\s+/g, ' ').trim();
  }

  #body(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  #tooLarge() {
    this.abort(
      'provider_protocol_error',
      `${this.#options.provider} sent more than an answer may have. Limit max_tokens.`,
    );
  }

  // One timer that looks when it fires is cheaper than re-arming it for each chunk.
  #watchIdle(limit: number, what: string) {
    const { clock, provider } = this.#options;
    this.#phase?.cancel();
    const look = () => {
      const left = this.#lastActivity + limit - clock.monotonic();
      if (this.#paused) this.#phase = clock.after(limit, look);
      else if (left > 0.5) this.#phase = clock.after(left, look);
      else this.abort('timeout', `${provider} ${what} for ${limit} ms. Try again, or another model.`);
    };
    this.#phase = clock.after(limit, look);
  }

  #succeed() {
    if (this.#settled) return;
    this.#settle({
      ok: true,
      stopReason: this.#stopReason as string,
      usage: this.#usage,
      tool_calls: [],
      status: this.#status as number,
      firstOutputMs: this.#firstOutputMs,
    });
  }

  #fail(failure: ProviderFailure) {
    this.#settle({
      ok: false,
      usage: this.#usage,
      status: this.#status,
      firstOutputMs: this.#firstOutputMs,
      ...failure,
    });
  }

  #settle(result: ModelResult) {
    if (this.#settled) return;
    this.#settled = true;
    this.#total.cancel();
    this.#phase?.cancel();
    this.#tell(result);
  }
}
