import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { AppError } from '#platform/app-error.ts';
import { createRequestLimits, type Limited, type LimitSettings } from './request-limits.ts';
import { createTokenBuckets } from './token-buckets.ts';

const none = {
  key_per_minute: 0,
  member_per_minute: 0,
  workspace_per_minute: 0,
  address_per_minute: 0,
  workspace_requests: 0,
};

function start(settings: Partial<LimitSettings>) {
  let now = 1_000;
  const limits = createRequestLimits({ settings: { ...none, ...settings }, clock: { monotonic: () => now } });
  const attempt = (ask: (response: ServerResponse) => void) => {
    const headers = new Map<string, string>();
    const response = { setHeader: (name: string, value: string) => headers.set(name, value) };
    try {
      ask(response as unknown as ServerResponse);
      return { passed: true, headers, wait: 0 };
    } catch (error) {
      assert.ok(error instanceof AppError && error.code === 'rate_limited');
      return { passed: false, headers, wait: error.details.retryAfterSeconds };
    }
  };
  return {
    limits,
    call: (caller: Limited) => attempt((response) => limits.admit(caller, response)),
    arrive: (address: string) => attempt((response) => limits.arrive(address, response)),
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

const caller = (key: string, more: Partial<Limited> & { account?: string } = {}): Limited => ({
  workspace: 'w',
  actor: { kind: 'key', id: key, ...(more.account ? { account: more.account } : {}) },
  ...more,
});

test('a key gets its minute at once, then what comes back, and is told what is left', () => {
  const { call, pass } = start({ key_per_minute: 3 });
  assert.deepEqual(
    [1, 2, 3].map(() => call(caller('a')).headers.get('ratelimit')),
    ['"key";r=2;t=20', '"key";r=1;t=40', '"key";r=0;t=60'],
  );
  const refused = call(caller('a'));
  assert.deepEqual([refused.passed, refused.wait], [false, 20]);
  assert.equal(refused.headers.get('ratelimit-policy'), '"key";q=3;w=60');
  assert.equal(call(caller('b')).passed, true);
  pass(19_000);
  assert.equal(call(caller('a')).passed, false);
  pass(1_001);
  assert.equal(call(caller('a')).passed, true);
  assert.equal(call(caller('a')).passed, false);
});

test("a key's own limit can be lower than the setting and not higher", () => {
  const { call } = start({ key_per_minute: 2 });
  const own = (perMinute: number) => caller(`own ${perMinute}`, { reach: { requestsPerMinute: perMinute } });
  assert.deepEqual([call(own(1)).passed, call(own(1)).passed], [true, false]);
  assert.deepEqual(
    [1, 2, 3].map(() => call(own(100)).passed),
    [true, true, false],
  );
});

test('keys of one member share its limit, members share that of their workspace', () => {
  const { call } = start({ member_per_minute: 2, workspace_per_minute: 3 });
  assert.equal(call(caller('a', { account: 'm' })).passed, true);
  assert.equal(call(caller('b', { account: 'm' })).headers.get('ratelimit'), '"member";r=0;t=60');
  assert.equal(call(caller('c', { account: 'm' })).passed, false);
  // What the member's limit refused was not taken from the workspace.
  assert.equal(call(caller('d', { account: 'n' })).headers.get('ratelimit'), '"workspace";r=0;t=60');
  assert.equal(call(caller('e')).passed, false);
  assert.equal(call({ ...caller('e'), workspace: 'other' }).passed, true);
});

test('an address is limited with its whole network, and this machine is not', () => {
  const { arrive } = start({ address_per_minute: 2 });
  assert.deepEqual(
    ['2001:db8::1', '2001:db8::2', '2001:db8::3', '198.51.100.7', '::ffff:198.51.100.7', '198.51.100.7'].map(
      (address) => arrive(address).passed,
    ),
    [true, true, false, true, true, false],
  );
  for (let count = 0; count < 10; count++) assert.equal(arrive('127.0.0.1').passed, true);
});

test('a workspace has only so many requests under way, and each one that ends makes room', () => {
  const { limits } = start({ workspace_requests: 2 });
  const first = limits.begin(caller('a'));
  limits.begin(caller('b'));
  assert.throws(() => limits.begin(caller('c')), /Wait until one has ended/);
  limits.begin({ ...caller('c'), workspace: 'other' });
  first?.();
  limits.begin(caller('c'));
});

test('buckets of a million strangers take a bounded memory, and who comes back soon is remembered', () => {
  const buckets = createTokenBuckets({ remembered: 100 });
  buckets.at('mine', 2, 0).tokens = 0;
  for (let stranger = 0; stranger < 10_000; stranger++) {
    buckets.at(`s${stranger}`, 2, 0);
    if (stranger % 50 === 0) assert.ok(buckets.at('mine', 2, 0).tokens < 1);
  }
  assert.ok(buckets.size <= 200);
});
