/** Share of the requests that may be repeated. */
const share = 0.1;
/** What is saved up at most, so that a quiet day does not pay for a storm. */
const most = 10;
/** Who runs alone earns too little: one repeat is free when there was none for so long. */
const freeAfterMs = 10_000;

/** Repeats are at most a tenth of the requests, or one in ten seconds. Times are of the clock's `monotonic`. */
export class RetryBudget {
  #saved = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** A request that goes out for the first time. */
  earn() {
    this.#saved = Math.min(most, this.#saved + share);
  }

  /** Answers whether a call may be repeated, and counts it. */
  spend(now: number): boolean {
    // What sums of tenths lose must not cost a whole repeat.
    if (this.#saved >= 1 - 1e-9) this.#saved -= 1;
    else if (now - this.#last < freeAfterMs) return false;
    this.#last = now;
    return true;
  }
}
