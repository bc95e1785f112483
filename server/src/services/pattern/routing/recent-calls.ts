/** One second a slot. One more than a minute, so that what is counted "in a minute" covers at least sixty seconds. */
const slots = 61;

/** What happened in the last minute, by the second: no timer, no allocation for each call. Times are of `monotonic`. */
export class RecentCalls {
  readonly #calls = new Int32Array(slots);
  readonly #failures = new Int32Array(slots);
  readonly #retries = new Int32Array(slots);
  readonly #tokens = new Float64Array(slots);
  #second = 0;
  calls = 0;
  failures = 0;
  retries = 0;
  tokens = 0;

  /** Forgets what is older than a minute. */
  advance(now: number) {
    const second = Math.floor(now / 1_000);
    if (second <= this.#second) return;
    const passed = Math.min(slots, second - this.#second);
    for (let i = 1; i <= passed; i++) this.#clear((this.#second + i) % slots);
    this.#second = second;
    if (passed === slots) this.#clear(second % slots);
  }

  /** `tokens` may be negative: what was taken ahead of time and not used. */
  add(now: number, calls: number, tokens: number) {
    this.advance(now);
    const slot = this.#second % slots;
    this.calls += calls;
    this.tokens += tokens;
    this.#calls[slot] = (this.#calls[slot] as number) + calls;
    this.#tokens[slot] = (this.#tokens[slot] as number) + tokens;
  }

  addFailure(now: number) {
    this.advance(now);
    const slot = this.#second % slots;
    this.failures += 1;
    this.#failures[slot] = (this.#failures[slot] as number) + 1;
  }

  addRetry(now: number) {
    this.advance(now);
    const slot = this.#second % slots;
    this.retries += 1;
    this.#retries[slot] = (this.#retries[slot] as number) + 1;
  }

  /** Milliseconds until `calls` and `tokens` more fit under the limits of a minute; 0: they fit now. */
  fitsIn(now: number, limits: { calls: number | null; tokens: number | null }, tokens: number): number {
    this.advance(now);
    let overCalls = limits.calls === null ? 0 : this.calls + 1 - limits.calls;
    // One call that is larger than the limit of a minute goes when nothing else does: it would wait for ever.
    let overTokens = limits.tokens === null ? 0 : Math.min(this.tokens, this.tokens + tokens - limits.tokens);
    for (let age = slots - 1; age >= 0 && (overCalls > 0 || overTokens > 0); age--) {
      const slot = (this.#second - age + slots * 2) % slots;
      overCalls -= this.#calls[slot] as number;
      overTokens -= this.#tokens[slot] as number;
      if (overCalls <= 0 && overTokens <= 0) return (this.#second - age + slots) * 1_000 - now;
    }
    return overCalls > 0 || overTokens > 0 ? slots * 1_000 : 0;
  }

  #clear(slot: number) {
    this.calls -= this.#calls[slot] as number;
    this.failures -= this.#failures[slot] as number;
    this.retries -= this.#retries[slot] as number;
    this.tokens -= this.#tokens[slot] as number;
    this.#calls[slot] = 0;
    this.#failures[slot] = 0;
    this.#retries[slot] = 0;
    this.#tokens[slot] = 0;
  }
}
