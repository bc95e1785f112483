import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFailedLogins } from './failed-logins.ts';
import { networkOf } from './network.ts';

function start(options: { burst?: number; perSecond?: number; addresses?: number } = {}) {
  const time = { now: 0 };
  const logins = createFailedLogins({ clock: { monotonic: () => time.now }, ...options });
  return { time, logins };
}

test('a thousand guesses end in a refusal that says how long to wait', () => {
  const { logins } = start();
  const waits = Array.from({ length: 1000 }, () => logins.note('192.0.2.1'));
  assert.deepEqual(waits.slice(0, 100), Array(100).fill(0));
  assert.deepEqual(new Set(waits.slice(100)), new Set([1]));
  assert.equal(logins.note('192.0.2.2'), 0);
});

test('whoever waits as long as told gets one more try, and asking meanwhile costs nothing', () => {
  const { time, logins } = start({ burst: 2, perSecond: 0.1 });
  logins.note('a');
  logins.note('a');
  assert.equal(logins.note('a'), 10);
  time.now = 4_000;
  assert.equal(logins.note('a'), 6);
  time.now = 10_000;
  assert.equal(logins.note('a'), 0);
  assert.equal(logins.note('a'), 10);
  time.now = 1e12;
  assert.deepEqual([logins.note('a'), logins.note('a'), logins.note('a')], [0, 0, 10]);
});

test('memory is bounded, and the addresses that are still guessing are kept', () => {
  const { logins } = start({ burst: 3, addresses: 100 });
  for (let i = 0; i < 5_000; i++) {
    logins.note(`10.0.${i >> 8}.${i & 255}`);
    logins.note('192.0.2.1');
  }
  assert.equal(logins.size, 100);
  assert.ok(logins.note('192.0.2.1') > 0);
});

test('an IPv6 customer counts once, and IPv4 inside IPv6 is IPv4', () => {
  assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(networkOf('192.0.2.1'), '192.0.2.1');
  assert.equal(networkOf('2001:db8:1:2::1'), '2001:db8:1:2');
  assert.equal(networkOf('2001:db8:1:2:ffff:ffff:ffff:ffff'), '2001:db8:1:2');
  assert.equal(networkOf('2001:db8::1'), '2001:db8:0:0');
  assert.equal(networkOf('::1'), '0:0:0:0');
  assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0');
  assert.equal(networkOf(''), '');
  for (const odd of ['::', ':::', ':', '%', '1::2::3', ':'.repeat(10_000), 'x'.repeat(50)]) networkOf(odd);
});
