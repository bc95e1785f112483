import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Attempt } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import { chance } from '#platform/chance.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import {
  type ModelCall,
  type ModelPort,
  type ModelRequest,
  type ModelResult,
  unknownUsage,
} from '../model/model-call.ts';
import type { ProviderFailure } from '../model/provider-failure.ts';
import type { Candidate } from './candidate.ts';
import { checkUsage } from './check-usage.ts';
import { estimateTokens } from './estimate-tokens.ts';
import type { Caller } from './gate.ts';
import { isUncertain, judgeResult, nextStep } from './judge-result.ts';
import { waitBeforeRetry } from './wait-before-retry.ts';

/** How a routed call ended: as the last call upstream did, with `firstOutputMs` counted from the beginning. */
export type RoutedResult = ModelResult & {
  /** One for each call that went upstream; none when every provider was closed. */
  readonly attempts: readonly Attempt[];
  /** What answered, or was asked last. */
  readonly served: Pick<Candidate, 'name' | 'facts'>;
};

export interface RoutedCallOptions {
  readonly candidates: readonly [Candidate, ...Candidate[]];
  /** A call that may have been executed and charged may go out again. */
  readonly repeatUncertain: boolean;
  /** The operator's patience with a provider, in milliseconds. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Calls of one model in one run, and of all its models together. */
const mostRepeats = 2;
const mostCalls = 6;
/** Milliseconds in line at a provider that is at its limits; less where somebody else could answer. */
const longestLine = 10_000;
const shortestLine = 2_000;

/**
 * Calls the first model that can be called, repeats what failed safely within the budget, and moves on to the next
 * model, all before the first output and within the time of the request. Deltas pass it by: a call that succeeds at
 * once costs one promise and no timer.
 */
export class RoutedCall implements ModelCall, Caller {
  readonly done: Promise<RoutedResult>;
  readonly #options: RoutedCallOptions;
  readonly #request: ModelRequest;
  readonly #started: number;
  readonly #attempts: Attempt[] = [];
  #tell!: (result: RoutedResult) => void;
  #at = 0;
  #repeats = 0;
  #call: ModelCall | undefined;
  #callStarted = 0;
  #tokens = 0;
  #pause: Timer | undefined;
  #inLine = false;
  #aborted: ProviderFailure | undefined;
  #failure: ModelResult | undefined;
  #served: Candidate;
  #settled = false;
  readonly #ended: (result: ModelResult) => void;

  constructor(options: RoutedCallOptions, request: ModelRequest) {
    this.#options = options;
    this.#request = request;
    this.#served = options.candidates[0];
    this.#started = options.clock.monotonic();
    this.#ended = (result) => this.#take(result);
    this.done = new Promise((tell) => {
      this.#tell = tell;
    });
    this.#ask();
  }

  abort(code: ErrorCode, detail: string) {
    if (this.#settled || this.#aborted) return;
    this.#aborted = { code, detail };
    if (this.#call) {
      this.#call.abort(code, detail);
      return;
    }
    this.#pause?.cancel();
    if (this.#inLine) this.#candidate.gate.leave(this);
    this.#settle(asResult(this.#aborted));
  }

  resume() {
    this.#call?.resume();
  }

  enter() {
    this.#inLine = false;
    this.#send();
  }

  refuse(refusal: ProviderFailure) {
    this.#inLine = false;
    this.#failure ??= asResult(refusal);
    this.#move();
  }

  get model(): string {
    return this.#candidate.model;
  }

  get #candidate(): Candidate {
    return this.#options.candidates[this.#at] as Candidate;
  }

  #ask(): void {
    const { gate } = this.#candidate;
    this.#tokens = gate.countsTokens ? estimateTokens(this.#request) : 0;
    const line = this.#at + 1 < this.#options.candidates.length ? shortestLine : longestLine;
    const answer = gate.ask(this, this.#tokens, Math.min(line, this.#left()));
    if (answer === 'go') this.#send();
    else if (answer === 'wait') this.#inLine = true;
    else this.refuse(answer);
  }

  #send() {
    const { port } = this.#candidate;
    this.#callStarted = this.#options.clock.monotonic();
    if (port) this.#callAt(port);
    else
      this.#candidate.open().then(
        (opened) => this.#callAt(opened),
        (error: unknown) => this.#take(this.#unopened(error)),
      );
  }

  #callAt(port: ModelPort) {
    if (this.#aborted) {
      this.#take(asResult(this.#aborted));
      return;
    }
    const candidate = this.#candidate;
    this.#served = candidate;
    if (this.#repeats === 0) candidate.gate.budget.earn();
    const asIs = this.#request.model === candidate.model && this.#callStarted - this.#started < 1;
    const request = asIs
      ? this.#request
      : { ...this.#request, model: candidate.model, timeoutMs: Math.max(1, this.#left()) };
    try {
      this.#call = port.call(request);
      void this.#call.done.then(this.#ended);
    } catch (error) {
      this.#take(this.#unopened(error));
    }
  }

  #take(result: ModelResult) {
    const { clock, patienceMs } = this.#options;
    const sent = this.#call !== undefined;
    this.#call = undefined;
    const candidate = this.#candidate;
    const ms = clock.monotonic() - this.#callStarted;
    const checked = checkUsage(result, candidate.facts.context_window);
    const { input_tokens: input, output_tokens: output } = checked.usage;
    const unused = this.#tokens === 0 || input === null || output === null ? 0 : this.#tokens - input - output;
    const failure = result.ok ? null : result;
    candidate.gate.ended(this, sent ? judgeResult(result, ms, patienceMs) : 'nothing', failure, ms, unused);
    if (sent) this.#attempts.push(this.#toAttempt(result, checked.flag, ms));
    if (failure === null || this.#aborted) {
      this.#settle({ ...result, usage: checked.usage });
      return;
    }
    this.#failure = { ...failure, usage: checked.usage };
    const next = sent ? nextStep(failure, this.#options.repeatUncertain) : 'move';
    if (next === 'stop' || this.#attempts.length >= mostCalls) this.#settle(this.#failure);
    else if (next === 'move' || !this.#repeat(failure)) this.#move();
  }

  /** Plans the same call once more; answers false when time, tries or budget do not allow it. */
  #repeat(failure: Extract<ModelResult, { ok: false }>): boolean {
    const { clock, candidates } = this.#options;
    if (this.#repeats >= mostRepeats) return false;
    const wait = waitBeforeRetry(this.#repeats, failure.retryAfterSeconds, chance(clock));
    const patience = this.#at + 1 < candidates.length ? shortestLine : Number.POSITIVE_INFINITY;
    if (wait === null || wait > patience || wait >= this.#left()) return false;
    const { gate } = this.#candidate;
    if (gate.shuts(this.model) || !gate.budget.spend(clock.monotonic())) return false;
    gate.record.recent.addRetry(clock.monotonic());
    this.#repeats += 1;
    this.#pause = clock.after(wait, () => this.#ask());
    return true;
  }

  #move() {
    const { candidates, clock } = this.#options;
    do {
      const from = this.#candidate.gate;
      this.#at += 1;
      this.#repeats = 0;
      if (this.#at >= candidates.length || this.#left() <= 0) {
        this.#settle(this.#failure as ModelResult);
        return;
      }
      // Another model of the same provider is one more call to it.
      const again = this.#attempts.length > 0 && this.#candidate.gate === from;
      if (!again || from.budget.spend(clock.monotonic())) break;
    } while (this.#at < candidates.length);
    this.#ask();
  }

  #left(): number {
    return this.#request.timeoutMs - (this.#options.clock.monotonic() - this.#started);
  }

  #toAttempt(result: ModelResult, flag: string | null, ms: number): Attempt {
    return {
      number: this.#attempts.length + 1,
      model: this.#candidate.name,
      outcome: outcomeOf(result),
      code: result.ok ? flag : result.code,
      provider_status: result.status,
      first_output_ms: result.firstOutputMs === null ? null : round(result.firstOutputMs),
      total_ms: round(ms),
    };
  }

  #unopened(error: unknown): ModelResult {
    if (error instanceof AppError) {
      const { retryAfterSeconds } = error.details;
      const wait = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
      return asResult({ code: error.code, detail: error.message, ...wait });
    }
    this.#options.log.error('A call to a model could not be made', { model: this.#candidate.name, error });
    return asResult({ code: 'internal', detail: 'The call to the model could not be made. The log has the cause.' });
  }

  #settle(result: ModelResult) {
    if (this.#settled) return;
    this.#settled = true;
    const before = this.#callStarted === 0 ? 0 : this.#callStarted - this.#started;
    const firstOutputMs = result.firstOutputMs === null ? null : before + result.firstOutputMs;
    this.#tell({ ...result, firstOutputMs, attempts: this.#attempts, served: this.#served });
  }
}

function outcomeOf(result: ModelResult): Attempt['outcome'] {
  if (result.ok) return 'succeeded';
  if (result.code === 'run_cancelled') return 'cancelled';
  return isUncertain(result) ? 'uncertain' : 'failed';
}

function asResult(failure: ProviderFailure): ModelResult {
  return { ok: false, usage: unknownUsage, status: null, firstOutputMs: null, ...failure };
}

const round = (milliseconds: number) => Math.round(milliseconds * 1000) / 1000;
