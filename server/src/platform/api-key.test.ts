import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { hashApiKey, keyPrefix, looksLikeApiKey, newApiKey } from './api-key.ts';

test('a new key has the prefix, 40 random characters and a checksum', () => {
  const keys = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const key = newApiKey(randomBytes);
    assert.match(key, /^dmk_[0-9A-Za-z]{46}$/);
    assert.ok(looksLikeApiKey(key));
    keys.add(key);
  }
  assert.equal(keys.size, 200);
});

test('every character of the alphabet is about equally likely', () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 1500; i++) {
    for (const character of newApiKey(randomBytes).slice(4, 44))
      counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  assert.equal(counts.size, 62);
  for (const count of counts.values()) assert.ok(count > 770 && count < 1170, String(count));
});

test('a typo, a swap, a cut and a foreign token are told apart without a lookup', () => {
  const key = newApiKey(randomBytes);
  for (let at = 4; at < key.length; at++) {
    const other = key[at] === 'x' ? 'y' : 'x';
    assert.ok(!looksLikeApiKey(key.slice(0, at) + other + key.slice(at + 1)), String(at));
  }
  for (const text of [
    '',
    key.slice(1),
    key.slice(0, -1),
    `${key}0`,
    `${key}\n`,
    ` ${key}`,
    key.toUpperCase(),
    `sk-${key}`,
  ]) {
    assert.ok(!looksLikeApiKey(text), text);
  }
});

test('the checksum of a key does not change between releases', () => {
  assert.ok(looksLikeApiKey(newApiKey((size) => new Uint8Array(size).fill(1))));
  assert.equal(
    newApiKey((size) => new Uint8Array(size).fill(1)),
    `dmk_${'1'.repeat(40)}3HEdVa`,
  );
});

test('the hash is the SHA-256 of the whole key', () => {
  const key = newApiKey(randomBytes);
  assert.equal(hashApiKey(key), createHash('sha256').update(key).digest('base64'));
  assert.equal(keyPrefix(key), key.slice(0, 12));
});
