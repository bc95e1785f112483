import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Dispatcher } from 'undici';
import { AppError } from '#platform/app-error.ts';
import type { Timer } from '#platform/clock.ts';
import { mostEarly } from '#platform/egress/follow.ts';
import type { ExchangeOptions } from './exchange-options.ts';
import { Answer, errorText, type Reported } from './model-answer.ts';
import type { ModelCall, ModelRequest, ModelResult } from './model-call.ts';
import type { Protocol } from './protocol.ts';
import {
  fromConnection,
  fromStatus,
  isInterruption,
  type ProviderFailure,
  type ResponseHeaders,
  retryAfterOf,
  saidMark,
} from './provider-failure.ts';
import { type StreamFault, StreamReader } from './stream-reader.ts';
import { createKeyFilter, type KeyFilter } from './without-key.ts';

const largestAnswer = 16 * 1024 * 1024;
const largestRefusal = 64 * 1024;
const tooLarge = 'sent more than an answer may have. Limit max_tokens.';
/** Characters of a provider's own words that are looked at; far fewer are told. */
const longestQuote = 16 * 1024;
/** Milliseconds that a provider may leave the connection open after its last event. */
const endWithin = 250;

/** One request and its answer. Holds the state of the exchange until exactly one result is told. */
export class Exchange implements ModelCall, Dispatcher.DispatchHandler {
  readonly done: Promise<ModelResult>;
  readonly #options: ExchangeOptions;
  readonly #protocol: Protocol;
  readonly #request: ModelRequest;
  readonly #answer: Answer;
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
  #sent = false;
  #stream: StreamReader | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #early = 0;
  #paused = false;
  /** Output that was read and is not told yet. */
  #text = '';
  readonly #key: KeyFilter | null;
  #firstOutputMs: number | null = null;

  constructor(options: ExchangeOptions, protocol: Protocol, request: ModelRequest) {
    this.#options = options;
    this.#protocol = protocol;
    this.#request = request;
    this.#key = createKeyFilter(options.apiKey);
    this.#answer = new Answer((text) => this.#say(text));
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
    this.#stream?.flush();
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
    this.#sent = true;
    if (this.#aborted) controller.abort(new Error(this.#aborted.detail));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: ResponseHeaders) {
    if (status < 200) {
      if (++this.#early > mostEarly) this.#misspoke('answers without coming to an end. Run it again.');
      return;
    }
    this.#status = status;
    const type = String(headers['content-type'] ?? '');
    this.#retryAfter = retryAfterOf(headers);
    if (status === 200 && this.#isStream(type)) {
      this.#stream = new StreamReader(this.#protocol, this.#request, this.#answer, (fault) => this.#afterRead(fault));
    } else if (status === 200 && !type.includes('json')) {
      this.#misspoke(`answered ${type.slice(0, 100) || 'no content type'} instead of JSON. Check its address.`);
      return;
    }
    this.#watchIdle(this.#options.idleMs, 'fell silent');
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer) {
    if (this.#settled) return;
    this.#lastActivity = this.#options.clock.monotonic();
    this.#bytes += chunk.length;
    if (this.#stream) {
      this.#stream.push(chunk);
      return;
    }
    if (this.#bytes > (this.#status === 200 ? largestAnswer : largestRefusal)) this.#misspoke(tooLarge);
    else this.#chunks.push(chunk);
  }

  onResponseEnd() {
    this.#stream?.end();
    if (this.#settled) return;
    if (this.#status !== 200) return this.#refused();
    if (!this.#stream) return this.#readWhole();
    if (this.#isComplete()) return this.#succeed();
    this.#fail({
      code: 'truncated',
      detail: `The stream of ${this.#options.provider} ended without its proper end. Run it again.`,
    });
  }

  onResponseError(_: unknown, error: Error) {
    this.#stream?.flush();
    if (this.#settled) return;
    if (error instanceof AppError || error.cause instanceof AppError) {
      const refused = (error instanceof AppError ? error : error.cause) as AppError;
      this.#fail({ code: refused.code, detail: refused.message });
      return;
    }
    // A refusal whose text was cut off is still that refusal.
    if (this.#status !== null && this.#status !== 200) this.#refused();
    else this.#fail(fromConnection(this.#options.provider, error, this.#status !== null));
  }

  #isStream(type: string): boolean {
    if (this.#protocol.framing === 'events') return type.includes('text/event-stream');
    // Some proxies in front of lines of JSON call them plain JSON; what was asked for decides then.
    return type.includes('ndjson') || (this.#request.stream && type.includes('json'));
  }

  #isComplete(): boolean {
    return this.#answer.stopReason !== null && (this.#answer.ended || this.#protocol.endsWithConnection);
  }

  #afterRead(fault: StreamFault | null) {
    if (this.#settled) return;
    const answer = this.#answer;
    this.#tellText();
    if (fault === 'not JSON') this.#misspoke('sent an event that is not JSON. Run it again.');
    else if (fault !== null || this.#bytes > largestAnswer) this.#misspoke(tooLarge);
    else if (answer.reported) this.#tellReported(answer.reported);
    else if (answer.ended) this.#watchEnd();
  }

  #say(text: string) {
    this.#firstOutputMs ??= this.#options.clock.monotonic() - this.#started;
    this.#text += text;
  }

  #tellText(last = false) {
    const text = this.#key ? this.#key.push(this.#text, last) : this.#text;
    this.#text = '';
    if (text === '') return;
    if (this.#request.onText(text) || this.#settled) return;
    this.#paused = true;
    this.#controller?.pause();
  }

  #tellReported({ code, said }: Reported) {
    this.abort(code, `${this.#options.provider} failed in the middle of the answer.${saidMark}${this.#quote(said)}`);
  }

  #readWhole() {
    const { provider } = this.#options;
    let document: unknown;
    try {
      document = JSON.parse(this.#body());
    } catch {
      return this.#fail({ code: 'truncated', detail: `The answer of ${provider} is not whole JSON. Run it again.` });
    }
    const answer = this.#answer;
    const readable = typeof document === 'object' && document !== null;
    if (!readable || !this.#protocol.readWhole(document as object, answer, this.#request)) {
      return this.#fail({
        code: 'provider_protocol_error',
        detail: `${provider} answered JSON without ${this.#protocol.essence}. Check that its address speaks the chat protocol.`,
      });
    }
    if (answer.reported) return this.#tellReported(answer.reported);
    answer.stopReason ??= 'stop';
    this.#succeed();
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

  #misspoke(what: string) {
    this.abort('provider_protocol_error', `${this.#options.provider} ${what}`);
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

  #watchEnd() {
    if (this.#settled || !this.#isComplete()) return;
    this.#phase?.cancel();
    this.#phase = this.#options.clock.after(endWithin, () => {
      this.#succeed();
      this.#controller?.abort(new Error('the answer is complete'));
    });
  }

  #succeed() {
    const answer = this.#answer;
    if (answer.stopReason === 'content_filter' && !answer.spoke && answer.toolCount === 0) {
      const { provider } = this.#options;
      return this.#fail({
        code: 'content_refused',
        detail: `${provider} refuses this content. Change the input, or use another model.`,
      });
    }
    this.#settle({
      ok: true,
      stopReason: answer.stopReason as string,
      usage: answer.believedUsage,
      tool_calls: this.#key?.calls(answer.toolCalls) ?? answer.toolCalls,
      status: this.#status as number,
      firstOutputMs: this.#firstOutputMs,
    });
  }

  #fail(failure: ProviderFailure) {
    const answered = this.#status !== null;
    // A provider that was sent everything and said nothing may have worked and may charge for it.
    const uncertain = this.#sent && (isInterruption(failure.code) || (!answered && failure.code === 'provider_error'));
    this.#settle({
      ok: false,
      usage: this.#answer.believedUsage,
      status: this.#status,
      firstOutputMs: this.#firstOutputMs,
      ...failure,
      ...(uncertain ? { uncertain } : {}),
    });
  }

  #settle(result: ModelResult) {
    if (this.#settled) return;
    this.#settled = true;
    this.#tellText(true);
    this.#total.cancel();
    this.#phase?.cancel();
    this.#tell(result);
  }
}
