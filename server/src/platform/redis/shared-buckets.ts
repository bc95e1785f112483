import { Redis } from 'ioredis';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

/** What was taken from one bucket since this process last told. */
export interface Taken {
  readonly id: string;
  readonly perMinute: number;
  readonly count: number;
}

/** Token buckets that processes have in common. */
export interface SharedBuckets {
  /**
   * Takes from the buckets, below zero too, and answers what each then holds, in order, and how many processes took in
   * the last 10 s. Rejects within half a second when nobody answers; it may have been taken all the same.
   */
  take(taken: readonly Taken[]): Promise<{ readonly left: readonly number[]; readonly processes: number }>;
  close(): void;
}

const answerWithin = 500;

// One minute's worth is the most that a bucket holds, and the most that it can owe. A full one needs no memory.
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 10000)
redis.call('PEXPIRE', KEYS[1], 20000)
local answer = { tostring(redis.call('ZCARD', KEYS[1])) }
for i = 2, #KEYS do
  local most, count = tonumber(ARGV[2 * i - 2]), tonumber(ARGV[2 * i - 1])
  local known = redis.call('HMGET', KEYS[i], 'tokens', 'at')
  local tokens = most
  if known[1] then
    tokens = math.min(most, tonumber(known[1]) + math.max(0, now - tonumber(known[2])) * most / 60000)
  end
  tokens = math.max(-most, tokens - count)
  redis.call('HSET', KEYS[i], 'tokens', tostring(tokens), 'at', now)
  redis.call('PEXPIRE', KEYS[i], math.ceil((most - tokens) * 60000 / most) + 1000)
  answer[i] = tostring(tokens)
end
return answer`;

export function createSharedBuckets(options: {
  /** `redis://user:password@host:6379/0`, or `rediss:`. */
  readonly url: string;
  /** Of this installation: others may share the server. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
}): SharedBuckets {
  const { url, name, clock, log } = options;
  const me = clock.uuid();
  // The braces keep all keys on one node of a cluster.
  const prefix = `damask:{${name}}:limit:`;
  let told = false;
  const redis = new Redis(url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    commandTimeout: answerWithin,
    connectTimeout: 2_000,
    retryStrategy: (times) => Math.min(5_000, times * 200),
  });
  redis.on('error', (error) => {
    if (!told) log.warn('Redis does not answer; each process allows its share of the request limits', { error });
    told = true;
  });
  redis.on('ready', () => {
    if (told) log.info('Redis answers again');
    told = false;
  });
  return {
    async take(taken) {
      const keys = [`${prefix}processes`, ...taken.map(({ id }) => prefix + id)];
      const values = taken.flatMap(({ perMinute, count }) => [perMinute, count]);
      const answer = (await redis.eval(script, keys.length, ...keys, me, ...values)) as string[];
      const [processes = 1, ...left] = answer.map(Number);
      return { left, processes };
    },
    close: () => redis.disconnect(),
  };
}
