import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClientAddress } from './client-address.ts';

const from = (remoteAddress: string, forwarded?: string) => ({
  socket: { remoteAddress },
  headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
});

test('what a stranger claims of its address is not believed', () => {
  const addressOf = createClientAddress(['10.0.0.0/8']);
  assert.equal(addressOf(from('198.51.100.7', '203.0.113.9')), '198.51.100.7');
  assert.equal(createClientAddress([])(from('10.0.0.1', '203.0.113.9')), '10.0.0.1');
  assert.equal(addressOf({ socket: {} }), '');
});

test('behind proxies the client is the last address that no trusted proxy has', () => {
  const addressOf = createClientAddress(['10.0.0.0/8', '2001:db8:1::/48', '127.0.0.1']);
  assert.equal(addressOf(from('10.0.0.1', '203.0.113.9')), '203.0.113.9');
  assert.equal(addressOf(from('::ffff:10.0.0.1', '203.0.113.9')), '203.0.113.9');
  assert.equal(addressOf(from('10.0.0.1', '1.1.1.1, 203.0.113.9, 10.2.3.4')), '203.0.113.9');
  assert.equal(addressOf(from('2001:db8:1::9', '[2001:db8:9::1]:4711')), '2001:db8:9::1');
  assert.equal(addressOf(from('10.0.0.1', '203.0.113.9:4711')), '203.0.113.9');
  assert.equal(addressOf(from('10.0.0.1', '10.0.0.3, 10.0.0.2')), '10.0.0.3');
});

test('a header that names no address leaves the client to be the proxy that sent it', () => {
  const addressOf = createClientAddress(['10.0.0.0/8']);
  for (const odd of ['', 'unknown', ' , ', '999.1.1.1', '1.1.1.1, x', '<script>', ','.repeat(10_000), '::1::2']) {
    assert.equal(addressOf(from('10.0.0.1', odd)), '10.0.0.1', odd.slice(0, 20));
  }
  // A row of proxies that never ends is not followed for ever.
  assert.equal(addressOf(from('10.0.0.1', '10.0.0.2,'.repeat(5_000).slice(0, -1))), '10.0.0.2');
});
