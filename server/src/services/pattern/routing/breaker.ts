export type BreakerState = 'closed' | 'open' | 'half-open';

/** Milliseconds of the window that is looked at. */
const windowMs = 10_000;
const leastCalls = 20;
const failureShare = 0.5;
const openMs = 15_000;
const slots = windowMs / 1_000;

/**
 * Stops calling a provider that fails: at least 20 calls in ten seconds and half of them failed open it for 15 s; then
 * one call goes out as a probe, and what becomes of it decides. Times are of the clock's `monotonic`.
 */
export class Breaker {
  readonly #calls = new Int32Array(slots);
  readonly #failures = new Int32Array(slots);
  #second = 0;
  #openUntil = 0;
  #probing = false;
  #state: 'closed' | 'open' = 'closed';

  state(now: number): BreakerState {
    if (this.#state === 'closed') return 'closed';
    return this.#probing || now >= this.#openUntil ? 'half-open' : 'open';
  }

  /** 0: a call may go out; else milliseconds to wait. While not closed, the call that goes out is the probe: `beginProbe`. */
  waitFor(now: number): number {
    if (this.#state === 'closed') return 0;
    if (this.#probing) return 1_000;
    return Math.max(0, this.#openUntil - now);
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  beginProbe() {
    this.#probing = true;
  }

  /** Ends of calls that went out before it opened come later: while it is open only the probe's end decides. */
  succeeded(now: number, probe: boolean) {
    if (probe) this.close();
    this.#advance(now);
    this.#add(this.#calls);
  }

  failed(now: number, probe: boolean) {
    this.#advance(now);
    this.#add(this.#calls);
    this.#add(this.#failures);
    if (this.#state === 'open') {
      if (probe) this.#open(now);
      return;
    }
    const calls = sum(this.#calls);
    if (calls >= leastCalls && sum(this.#failures) >= calls * failureShare) this.#open(now);
  }

  /** The call says nothing of the provider, because its caller left. The next one is the probe. */
  forgotten(probe: boolean) {
    if (probe) this.#probing = false;
  }

  close() {
    this.#state = 'closed';
    this.#probing = false;
    this.#calls.fill(0);
    this.#failures.fill(0);
  }

  #open(now: number) {
    this.#state = 'open';
    this.#openUntil = now + openMs;
    this.#probing = false;
  }

  #add(counts: Int32Array) {
    const slot = this.#second % slots;
    counts[slot] = (counts[slot] as number) + 1;
  }

  #advance(now: number) {
    const second = Math.floor(now / 1_000);
    if (second <= this.#second) return;
    const passed = Math.min(slots, second - this.#second);
    for (let i = 0; i < passed; i++) {
      this.#calls[(second - i) % slots] = 0;
      this.#failures[(second - i) % slots] = 0;
    }
    this.#second = second;
  }
}

function sum(counts: Int32Array): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] as number;
  return total;
}
