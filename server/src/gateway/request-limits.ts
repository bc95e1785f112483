import type { ServerResponse } from 'node:http';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import { isOwnMachine, networkOf } from './network.ts';
import type { SharedLimits } from './share-limits.ts';
import { type Bucket, createTokenBuckets, secondsUntil, type TokenBuckets } from './token-buckets.ts';

/** Requests a minute; 0 is no limit. */
export interface LimitSettings {
  readonly key_per_minute: number;
  readonly member_per_minute: number;
  readonly workspace_per_minute: number;
  readonly address_per_minute: number;
  /** Of one workspace, answered at the same time; 0 is no limit. */
  readonly workspace_requests: number;
}

/** Who is limited. */
export interface Limited {
  readonly workspace: string;
  readonly actor: {
    readonly kind: string;
    readonly id: string;
    /** The member behind the caller, where there is one. */
    readonly account?: string;
  };
  /** What a key itself allows a minute. */
  readonly reach?: { readonly requestsPerMinute: number | null };
}

export interface RequestLimits {
  /** Counts a request of an address, before it is known who sends it. Throws `rate_limited`. */
  arrive(address: string, response: ServerResponse): void;
  /** Counts a request of a caller. Throws `rate_limited`. */
  admit(caller: Limited, response: ServerResponse): void;
  /** Counts one more that is being answered. Throws `rate_limited`; call the answer, if any, when it ends. */
  begin(caller: Limited): (() => void) | undefined;
}

/** Limits that count alone, or with other edges. */
export function openLimits(
  settings: LimitSettings,
  shared: Pick<SharedLimits, 'taken' | 'sharers'> | undefined,
  clock: Pick<Clock, 'monotonic'>,
): RequestLimits {
  if (!shared) return createRequestLimits({ settings, clock });
  const buckets = createTokenBuckets({ sharers: shared.sharers });
  return createRequestLimits({ settings, clock, buckets, taken: shared.taken });
}

export interface RequestLimitsOptions {
  readonly settings: LimitSettings;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly buckets?: TokenBuckets;
  /** Told of each bucket that something was taken from. */
  readonly taken?: (bucket: Bucket) => void;
}

/**
 * How often and how much at once: token buckets of keys, members, workspaces and addresses, in memory. What the tightest
 * one leaves stands in `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10) of every answer.
 */
export function createRequestLimits(options: RequestLimitsOptions): RequestLimits {
  const { settings, clock, taken } = options;
  const buckets = options.buckets ?? createTokenBuckets();
  const answering = new Map<string, number>();

  function take(bucket: Bucket) {
    bucket.tokens -= 1;
    bucket.untold += 1;
    taken?.(bucket);
  }

  function refuseEmpty(bucket: Bucket, response: ServerResponse) {
    if (bucket.tokens >= 1) return;
    tell(response, bucket);
    throw tooMany(bucket);
  }

  return {
    arrive(address, response) {
      if (settings.address_per_minute === 0 || isOwnMachine(address)) return;
      const bucket = buckets.at(`a:${networkOf(address)}`, settings.address_per_minute, clock.monotonic());
      refuseEmpty(bucket, response);
      take(bucket);
    },
    admit({ actor, workspace, reach }, response) {
      const now = clock.monotonic();
      const own = actor.kind === 'member' ? 0 : lower(settings.key_per_minute, reach?.requestsPerMinute ?? 0);
      const key = own > 0 ? buckets.at(`k:${actor.id}`, own, now) : undefined;
      const perMember = actor.account === undefined ? 0 : settings.member_per_minute;
      const member = perMember > 0 ? buckets.at(`m:${actor.account}`, perMember, now) : undefined;
      const perWorkspace = settings.workspace_per_minute;
      const all = perWorkspace > 0 ? buckets.at(`w:${workspace}`, perWorkspace, now) : undefined;
      // All are looked at before any is taken from: what is refused does not count.
      if (key) refuseEmpty(key, response);
      if (member) refuseEmpty(member, response);
      if (all) refuseEmpty(all, response);
      if (key) take(key);
      if (member) take(member);
      if (all) take(all);
      const tightest = tighter(tighter(key, member), all);
      if (tightest) tell(response, tightest);
    },
    begin({ workspace }) {
      const most = settings.workspace_requests;
      if (most === 0) return undefined;
      const count = answering.get(workspace) ?? 0;
      if (count >= most) throw tooManyAtOnce(most);
      answering.set(workspace, count + 1);
      return () => {
        const left = (answering.get(workspace) ?? 1) - 1;
        if (left === 0) answering.delete(workspace);
        else answering.set(workspace, left);
      };
    },
  };
}

/** Of two limits the lower one; 0 is none. */
function lower(one: number, other: number): number {
  return one === 0 || other === 0 ? one + other : Math.min(one, other);
}

function tighter(one: Bucket | undefined, other: Bucket | undefined): Bucket | undefined {
  if (!one || !other) return one ?? other;
  return other.tokens < one.tokens ? other : one;
}

function tell(response: ServerResponse, bucket: Bucket) {
  const { kind } = whose(bucket);
  const left = Math.max(0, Math.floor(bucket.tokens));
  const full = Math.ceil(secondsUntil(bucket, bucket.perMinute));
  response.setHeader('ratelimit-policy', `"${kind}";q=${bucket.perMinute};w=60`);
  response.setHeader('ratelimit', `"${kind}";r=${left};t=${full}`);
}

const subjects = {
  k: { kind: 'key', name: 'this key' },
  m: { kind: 'member', name: 'this member' },
  w: { kind: 'workspace', name: 'this workspace' },
  a: { kind: 'address', name: 'this address' },
} as const;

function whose({ id }: Bucket) {
  return subjects[id[0] as keyof typeof subjects];
}

function tooMany(bucket: Bucket): AppError {
  return new AppError(
    'rate_limited',
    `Requests of ${whose(bucket).name} are limited to ${bucket.perMinute} a minute. Wait as long as Retry-After says.`,
    { retryAfterSeconds: Math.ceil(secondsUntil(bucket, 1)) },
  );
}

function tooManyAtOnce(most: number): AppError {
  return new AppError(
    'rate_limited',
    `This workspace has ${most} requests under way, which is as many as it may. Wait until one has ended.`,
    { retryAfterSeconds: 1 },
  );
}
