import type { Clock, Timer } from '#platform/clock.ts';
import type { SharedBuckets } from '#platform/redis/shared-buckets.ts';
import type { Bucket } from './token-buckets.ts';

/** Makes the buckets of all edges one, as far as a look ten times a second can. */
export interface SharedLimits {
  /** Something was taken from this bucket. */
  taken(bucket: Bucket): void;
  /** Among how many edges what comes back is to be divided: 1 while they know of each other. */
  sharers(): number;
  stop(): void;
}

export interface SharedLimitsOptions {
  readonly shared: SharedBuckets;
  /** How many processes live, edges or not; asked when the others cannot be. */
  readonly countProcesses: () => Promise<number>;
  readonly clock: Clock;
}

const tellEvery = 100;
const askAgainAfter = 500;
const atOnce = 200;
const untoldMost = 100_000;

/**
 * Tells what was taken here and learns what is left. An edge never allows more than its own bucket does: news from
 * others can only lower it. While nobody answers, each edge allows its share of every limit, so that together they allow
 * no more than one limit; who lives is then counted generously, so rather too little is allowed.
 */
export function createSharedLimits({ shared, countProcesses, clock }: SharedLimitsOptions): SharedLimits {
  const untold = new Set<Bucket>();
  let timer: Timer | undefined;
  let answered = false;
  let seen = 2;
  let living = 2;
  let stopped = false;
  /** From the wait for the next look to its end. */
  let waiting = false;

  async function tell(group: readonly Bucket[]) {
    const counts = group.map((bucket) => {
      const { id, perMinute, untold: count } = bucket;
      bucket.untold = 0;
      return { id, perMinute, count };
    });
    try {
      const { left, processes } = await shared.take(counts);
      seen = processes;
      group.forEach((bucket, at) => {
        const others = (left[at] as number) - bucket.untold;
        bucket.tokens = Math.min(bucket.tokens, others);
      });
    } catch (error) {
      group.forEach((bucket, at) => {
        bucket.untold = Math.min(bucket.perMinute * 2, bucket.untold + (counts[at]?.count ?? 0));
        untold.add(bucket);
      });
      throw error;
    }
  }

  /** Without anything to tell it asks whether somebody answers. */
  async function tellAll() {
    const all = [...untold];
    untold.clear();
    let at = 0;
    try {
      do {
        await tell(all.slice(at, at + atOnce));
        at += atOnce;
      } while (at < all.length && !stopped);
      answered = true;
    } catch {
      for (const bucket of all.slice(at)) untold.add(bucket);
      answered = false;
      living = await countProcesses().catch(() => living);
    }
    waiting = false;
    if (untold.size > 0 || !answered) later(answered ? tellEvery : askAgainAfter);
  }

  function later(milliseconds: number) {
    if (waiting || stopped) return;
    waiting = true;
    timer = clock.after(milliseconds, () => void tellAll());
  }

  // Before the first request, so that its limit is not divided needlessly.
  later(tellEvery);
  return {
    taken(bucket) {
      if (untold.size < untoldMost) untold.add(bucket);
      if (!waiting) later(tellEvery);
    },
    sharers: () => (answered ? 1 : Math.max(1, seen, living)),
    stop() {
      stopped = true;
      timer?.cancel();
      shared.close();
    },
  };
}
