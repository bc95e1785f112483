import type { Clock } from '#platform/clock.ts';
import { networkOf } from './network.ts';

/** Counts refused credentials by where they come from. */
export interface FailedLogins {
  /** One more failure. Answers 0, or after how many seconds the next one is allowed. */
  note(remoteAddress: string): number;
  /** Addresses remembered now. */
  readonly size: number;
}

export interface FailedLoginsOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Failures in a row before the first refusal. */
  readonly burst?: number;
  /** How many more are allowed each second from then on. */
  readonly perSecond?: number;
  /** The addresses that failed longest ago are forgotten beyond this many. */
  readonly addresses?: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * A token bucket for each address. It only slows guessing down: a valid key passes whatever its neighbours behind the
 * same address do, since a key has too much randomness to be guessed and locking out would be the easier attack.
 */
export function createFailedLogins(options: FailedLoginsOptions): FailedLogins {
  const { clock, burst = 100, perSecond = 1, addresses = 10_000 } = options;
  const buckets = new Map<string, Bucket>();
  return {
    get size() {
      return buckets.size;
    },
    note(remoteAddress) {
      const network = networkOf(remoteAddress);
      const now = clock.monotonic();
      const bucket = buckets.get(network) ?? { tokens: burst, at: now };
      bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
      bucket.at = now;
      buckets.delete(network);
      buckets.set(network, bucket);
      if (buckets.size > addresses) buckets.delete(buckets.keys().next().value as string);
      if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / perSecond);
      bucket.tokens -= 1;
      return 0;
    },
  };
}
