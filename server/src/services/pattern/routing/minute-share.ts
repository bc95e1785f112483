import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { type MinuteStore, type Taken, usableFor } from './minute-store.ts';

const nothing: Taken = { calls: 0, tokens: 0 };
const nobodyKnows = Number.POSITIVE_INFINITY;
/** A process takes a twentieth of a minute ahead, so that it asks once for several calls and leaves room for others. */
const ahead = 20;
/** Of what has no limit. */
const unlimited = 10_000;
const correctAfter = 500;
const retryAfter = 1_000;

export interface MinuteShareOptions {
  readonly workspace: string;
  readonly provider: string;
  readonly store: MinuteStore;
  readonly clock: Clock;
  readonly log: Log;
  /** There may be room now. */
  readonly changed: () => void;
}

/**
 * This process's part of what all of them may ask a provider in a minute. It never has more than the store gave it, so
 * without the store nothing goes out. Times are of the clock's `monotonic`.
 */
export class MinuteShare {
  readonly #options: MinuteShareOptions;
  #limits: { calls: number | null; tokens: number | null } = { calls: null, tokens: null };
  #left = nothing;
  #second = 0;
  #usableUntil = 0;
  #fullUntil = 0;
  #lookAgainAt = 0;
  #asking = false;
  #failing = false;
  #corrections = new Map<number, Taken>();
  #correct: Timer | undefined;

  constructor(options: MinuteShareOptions) {
    this.#options = options;
  }

  set limits(limits: { calls: number | null; tokens: number | null }) {
    const { calls, tokens } = this.#limits;
    if (calls === limits.calls && tokens === limits.tokens) return;
    this.#limits = limits;
    this.#fullUntil = 0;
  }

  /** Milliseconds until a call may be possible; 0: it is now. Asks the store where what is at hand is not enough. */
  waitFor(now: number, tokens: number): number {
    if (now < this.#usableUntil && this.#left.calls >= 1 && this.#covers(tokens)) return 0;
    if (now < this.#fullUntil) {
      // Others may have given back what they did not use.
      if (now >= this.#lookAgainAt && !this.#asking) void this.#ask(tokens);
      return this.#fullUntil - now;
    }
    if (!this.#asking) void this.#ask(tokens);
    return nobodyKnows;
  }

  /** A call goes out. Answers what its correction must name. */
  take(tokens: number): number {
    this.#left = { calls: this.#left.calls - 1, tokens: this.#left.tokens - tokens };
    return this.#second;
  }

  /** A call took `unused` tokens less than it was taken for, or more where that is below 0. */
  correct(second: number, unused: number) {
    this.#add(second, { calls: 0, tokens: -unused });
    this.#correct ??= this.#options.clock.after(correctAfter, () => {
      this.#correct = undefined;
      if (!this.#asking && this.#corrections.size > 0) void this.#ask(0, true);
    });
  }

  #covers(tokens: number): boolean {
    return this.#limits.tokens === null || this.#left.tokens >= tokens;
  }

  #add(second: number, change: Taken) {
    const before = this.#corrections.get(second) ?? nothing;
    this.#corrections.set(second, { calls: before.calls + change.calls, tokens: before.tokens + change.tokens });
  }

  async #ask(tokens: number, onlyCorrect = false): Promise<void> {
    const { workspace, provider, store, clock, log, changed } = this.#options;
    this.#asking = true;
    if (!onlyCorrect) {
      // What was taken and not used goes back before more is taken.
      if (this.#left !== nothing) this.#add(this.#second, { calls: -this.#left.calls, tokens: -this.#left.tokens });
      this.#left = nothing;
      this.#usableUntil = 0;
    }
    const corrections = [...this.#corrections].map(([second, change]) => ({ second, ...change }));
    this.#corrections = new Map();
    const asked = clock.monotonic();
    const share = (limit: number | null) => (limit === null ? unlimited : Math.ceil(limit / ahead));
    try {
      const answer = await store.take({
        workspace,
        provider,
        limits: this.#limits,
        least: onlyCorrect ? null : { calls: 1, tokens },
        wanted: { calls: share(this.#limits.calls), tokens: Math.max(tokens, share(this.#limits.tokens)) },
        corrections,
      });
      if (!onlyCorrect) {
        this.#left = answer.taken;
        this.#second = answer.second;
        this.#usableUntil = asked + usableFor * 1_000;
        this.#fullUntil = answer.taken.calls > 0 ? 0 : clock.monotonic() + answer.waitMs;
        this.#lookAgainAt = clock.monotonic() + retryAfter;
      } else this.#fullUntil = 0;
      this.#failing = false;
    } catch (error) {
      if (!this.#failing)
        log.warn('The limits of a provider cannot be shared now, so its calls wait', { provider, error });
      this.#failing = true;
      // Whether they were written is not known; told twice they would make room that there is not.
      for (const one of corrections) if (one.tokens > 0) this.#add(one.second, one);
      this.#fullUntil = clock.monotonic() + retryAfter;
      this.#lookAgainAt = this.#fullUntil;
    }
    this.#asking = false;
    changed();
  }
}
