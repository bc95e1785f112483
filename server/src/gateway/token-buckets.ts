/** What one subject may still do. */
export interface Bucket {
  readonly id: string;
  /** How much it holds, and how much comes back in a minute. */
  perMinute: number;
  tokens: number;
  /** By the clock's `monotonic`. */
  at: number;
  /** Taken since another edge was last told. */
  untold: number;
  /** Among how many edges it was divided when it was looked at last. */
  share: number;
}

export interface TokenBuckets {
  /** The bucket of `id` as it stands now; a new one is full. */
  at(id: string, perMinute: number, now: number): Bucket;
  /** The bucket of `id`, when there is one. */
  peek(id: string): Bucket | undefined;
  readonly size: number;
}

export interface TokenBucketsOptions {
  /** Buckets remembered for certain; at most twice as many are. Those that were asked for longest ago are forgotten. */
  readonly remembered?: number;
  /** Among how many edges the tokens that come back are to be shared; 1 unless told. */
  readonly sharers?: () => number;
}

const minute = 60_000;

/**
 * Token buckets in memory that hold one minute's worth. Two maps of ages instead of one in order of use: re-inserting
 * at every request would cost more than all the rest.
 */
export function createTokenBuckets({ remembered = 50_000, sharers = () => 1 }: TokenBucketsOptions = {}): TokenBuckets {
  let young = new Map<string, Bucket>();
  let old = new Map<string, Bucket>();
  const keep = (id: string, bucket: Bucket) => {
    if (young.size >= remembered) {
      old = young;
      young = new Map();
    }
    young.set(id, bucket);
  };
  return {
    get size() {
      return young.size + old.size;
    },
    peek: (id) => young.get(id) ?? old.get(id),
    at(id, perMinute, now) {
      let bucket = young.get(id);
      if (bucket === undefined) {
        bucket = old.get(id) ?? { id, perMinute, tokens: perMinute, at: now, untold: 0, share: 1 };
        old.delete(id);
        keep(id, bucket);
      }
      const share = sharers();
      const most = Math.max(1, perMinute / share);
      // What was taken of the whole is taken of the share: edges that lose each other allow no more than what was left.
      if (share > bucket.share) bucket.tokens -= perMinute / bucket.share - most;
      bucket.share = share;
      const back = (Math.max(0, now - bucket.at) * perMinute) / minute / share;
      // A limit that was raised or lowered holds from now on.
      bucket.perMinute = perMinute;
      bucket.tokens = Math.min(most, bucket.tokens + back);
      bucket.at = now;
      return bucket;
    },
  };
}

/** Seconds until `tokens` are there. */
export function secondsUntil({ tokens, perMinute }: Bucket, wanted: number): number {
  return Math.max(0, ((wanted - tokens) * 60) / perMinute);
}
