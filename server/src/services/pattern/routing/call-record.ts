import { type ProviderFailure, withoutQuote } from '../model/provider-failure.ts';
import { RecentCalls } from './recent-calls.ts';

const kept = 64;
const longestDetail = 300;

export interface LastError {
  readonly code: string;
  readonly detail: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What the calls to a provider were like: counts of the last minute, and how long the last good ones took. */
export class CallRecord {
  readonly recent = new RecentCalls();
  readonly #durations = new Float64Array(kept);
  #ended = 0;
  #lastError: LastError | null = null;

  succeeded(ms: number) {
    this.#durations[this.#ended % kept] = ms;
    this.#ended += 1;
  }

  failed(failure: ProviderFailure, at: number) {
    this.#lastError = { code: failure.code, detail: withoutQuote(failure.detail).slice(0, longestDetail), at };
  }

  get lastError(): LastError | null {
    return this.#lastError;
  }

  /** Median of the last 64 calls that succeeded; null before the first. */
  get medianMs(): number | null {
    const count = Math.min(kept, this.#ended);
    if (count === 0) return null;
    return this.#durations.slice(0, count).sort()[Math.floor((count - 1) / 2)] as number;
  }
}
