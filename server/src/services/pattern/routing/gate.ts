import type { ProviderLimits } from '@damask/contracts/model.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { ProviderFailure } from '../model/provider-failure.ts';
import type { BreakerState } from './breaker.ts';
import { CallRecord } from './call-record.ts';
import type { Verdict } from './judge-result.ts';
import { MinuteShare } from './minute-share.ts';
import type { MinuteStore } from './minute-store.ts';
import { ModelBreakers, type ModelState } from './model-breakers.ts';
import { RefusedKey } from './refused-key.ts';
import { RetryBudget } from './retry-budget.ts';

export const noLimits: ProviderLimits = { concurrency: null, requests_per_minute: null, tokens_per_minute: null };

/** Who wants to call. Each call to `ask` that answered `wait` is followed by exactly one of the two, unless it left. */
export interface Caller {
  /** What it wants to call now. */
  readonly model: string;
  enter(): void;
  refuse(refusal: ProviderFailure): void;
}

interface Waiting {
  readonly caller: Caller;
  readonly tokens: number;
  readonly late: Timer;
}

const shortestQueue = 16;
const longestQueue = 1_024;
const untilOneEnds = Number.POSITIVE_INFINITY;

export interface GateOptions {
  readonly name: string;
  readonly workspace: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where processes share limits of a minute; without it they hold for this one only. */
  readonly minutes?: MinuteStore;
}

export interface GateState {
  readonly state: BreakerState;
  readonly models: readonly ModelState[];
  readonly keyRefused: boolean;
  readonly running: number;
  readonly waiting: number;
  readonly closedForMs: number;
}

/**
 * One provider of one workspace, as this process sees it: whether a call may go out now, and what became of the others.
 * Per workspace also where several share a provider: what one of them provokes must not shut out the rest.
 */
export class Gate {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #breakers = new ModelBreakers();
  readonly #key: RefusedKey;
  readonly #waiting: Waiting[] = [];
  readonly record = new CallRecord();
  readonly budget = new RetryBudget();
  #limits: ProviderLimits = noLimits;
  #limited = false;
  #running = 0;
  #look: Timer | undefined;
  readonly #share: MinuteShare | undefined;
  /** What calls under way took of the shared minute. */
  readonly #taken = new Map<Caller, number>();

  constructor(options: GateOptions) {
    this.#name = options.name;
    this.#clock = options.clock;
    this.#key = new RefusedKey(options);
    const { name: provider, minutes: store, ...rest } = options;
    if (store) this.#share = new MinuteShare({ ...rest, provider, store, changed: () => this.#admitWaiting() });
  }

  set limits(limits: ProviderLimits) {
    this.#limits = limits;
    const { requests_per_minute: calls, tokens_per_minute: tokens } = limits;
    this.#limited = limits.concurrency !== null || calls !== null || tokens !== null;
    if (this.#share) this.#share.limits = { calls, tokens };
    this.#admitWaiting();
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.length === 0;
  }

  get countsTokens(): boolean {
    return this.#limits.tokens_per_minute !== null;
  }

  /** Asks to call now. `patienceMs` is how long the caller would wait in line; `tokens` what its call takes, as estimated. */
  ask(caller: Caller, tokens: number, patienceMs: number): 'go' | 'wait' | ProviderFailure {
    const now = this.#clock.monotonic();
    const refusal = this.#refusal(caller.model, now);
    if (refusal) return refusal;
    const wait = this.#limited ? this.#mustWait(now, tokens) : 0;
    if (wait === 0 && this.#waiting.length === 0) {
      this.#take(caller, tokens, now);
      return 'go';
    }
    const { concurrency } = this.#limits;
    const room = concurrency === null ? longestQueue : Math.min(longestQueue, Math.max(shortestQueue, 4 * concurrency));
    if (this.#waiting.length >= room || (wait > patienceMs && wait !== untilOneEnds)) return this.#full(wait);
    const late = this.#clock.after(patienceMs, () => {
      this.leave(caller);
      caller.refuse(this.#full(this.#mustWait(this.#clock.monotonic(), tokens)));
    });
    this.#waiting.push({ caller, tokens, late });
    this.#lookIn(wait);
    return 'wait';
  }

  /** A caller in line that wants no more. */
  leave(caller: Caller) {
    const at = this.#waiting.findIndex((waiting) => waiting.caller === caller);
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.late.cancel();
    if (this.#waiting.length > 0) return;
    this.#look?.cancel();
    this.#look = undefined;
  }

  /** A call that went out has ended. `unused` corrects the estimate of its tokens. */
  ended(caller: Caller, verdict: Verdict, failure: ProviderFailure | null, ms: number, unused: number) {
    const now = this.#clock.monotonic();
    const one = this.#breakers.of(caller.model);
    const probe = one.probe === caller;
    if (probe) one.probe = undefined;
    this.#running -= 1;
    if (unused !== 0) this.record.recent.add(now, 0, -unused);
    if (this.#limited) this.#correct(caller, unused);
    if (verdict === 'failed') {
      this.record.recent.addFailure(now);
      one.breaker.failed(now, probe);
    } else if (verdict === 'alive') one.breaker.succeeded(now, probe);
    else one.breaker.forgotten(probe);
    if (failure === null) {
      this.record.succeeded(ms);
      this.#key.accepted();
    } else if (verdict !== 'nothing') {
      this.record.failed(failure, this.#clock.now());
      if (failure.code === 'provider_auth') this.#key.refused(now);
    }
    if (this.#waiting.length > 0) this.#admitWaiting();
  }

  /** Somebody has just seen the provider work. */
  reopen() {
    this.#breakers.close();
    this.#key.accepted();
    this.#admitWaiting();
  }

  /** `state` is that of the model that is shut for longest; `models` are all that are not closed. */
  state(): GateState {
    const now = this.#clock.monotonic();
    this.record.recent.advance(now);
    const models = this.#breakers.notClosed(now);
    return {
      state: models[0]?.state ?? 'closed',
      models,
      keyRefused: this.#key.isRefused,
      running: this.#running,
      waiting: this.#waiting.length,
      closedForMs: Math.max(models[0]?.closedForMs ?? 0, this.#key.waitFor(now)),
    };
  }

  /** Whether no call to the model may go out now. */
  shuts(model: string): boolean {
    const now = this.#clock.monotonic();
    return this.#breakers.waitFor(model, now) > 0 || this.#key.waitFor(now) > 0;
  }

  #refusal(model: string, now: number): ProviderFailure | undefined {
    const open = this.#breakers.waitFor(model, now);
    if (open > 0) {
      const seconds = Math.ceil(open / 1_000);
      return {
        code: 'provider_busy',
        detail: `${this.#name}/${model} has failed too often and is left alone for ${seconds} s. \`damask providers\` shows its last error.`,
        retryAfterSeconds: seconds,
      };
    }
    const refused = this.#key.isRefused ? this.#key.waitFor(now) : 0;
    return refused > 0 ? this.#key.failure(refused) : undefined;
  }

  #full(wait: number): ProviderFailure {
    const detail =
      wait === untilOneEnds
        ? `As many calls to ${this.#name} are under way as its limit allows. Try again later, or raise the limit.`
        : `${this.#name} has had as many calls or tokens in this minute as its limits allow. Try again later, or raise them.`;
    return {
      code: 'provider_busy',
      detail,
      retryAfterSeconds: wait === untilOneEnds ? 1 : Math.max(1, Math.ceil(wait / 1_000)),
    };
  }

  /** Milliseconds until there may be room; 0: there is; `untilOneEnds`: nobody knows, and who waits is called. */
  #mustWait(now: number, tokens: number): number {
    const { concurrency, requests_per_minute: calls, tokens_per_minute } = this.#limits;
    if (concurrency !== null && this.#running >= concurrency) return untilOneEnds;
    if (calls === null && tokens_per_minute === null) return 0;
    const own = this.record.recent.fitsIn(now, { calls, tokens: tokens_per_minute }, tokens);
    return own > 0 ? own : (this.#share?.waitFor(now, tokens) ?? 0);
  }

  #take(caller: Caller, tokens: number, now: number) {
    const one = this.#breakers.of(caller.model);
    if (!one.breaker.closed) {
      one.breaker.beginProbe();
      one.probe = caller;
    }
    if (this.#key.isRefused) this.#key.tryAgain(now);
    this.#running += 1;
    this.record.recent.add(now, 1, tokens);
    if (this.#share && this.#sharesMinute) this.#taken.set(caller, this.#share.take(tokens));
  }

  get #sharesMinute(): boolean {
    return this.#limits.requests_per_minute !== null || this.countsTokens;
  }

  #correct(caller: Caller, unused: number) {
    const second = this.#taken.get(caller);
    if (second === undefined) return;
    this.#taken.delete(caller);
    if (unused !== 0) this.#share?.correct(second, unused);
  }

  #admitWaiting() {
    const now = this.#clock.monotonic();
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      const refusal = this.#refusal(first.caller.model, now);
      const wait = refusal ? 0 : this.#mustWait(now, first.tokens);
      if (wait > 0) {
        this.#lookIn(wait);
        return;
      }
      this.#waiting.shift();
      first.late.cancel();
      if (refusal) first.caller.refuse(refusal);
      else {
        this.#take(first.caller, first.tokens, now);
        first.caller.enter();
      }
    }
  }

  #lookIn(wait: number) {
    if (this.#look || wait === 0 || wait === untilOneEnds) return;
    this.#look = this.#clock.after(wait, () => {
      this.#look = undefined;
      this.#admitWaiting();
    });
  }
}
