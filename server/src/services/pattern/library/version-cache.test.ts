import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toLibraryVersion } from './library-version.ts';
import { createVersionCache } from './version-cache.ts';

const version = (text: string) =>
  toLibraryVersion(
    {
      number: 1,
      digest: '',
      system_hash: '',
      variables: [],
      literal_tokens: [],
      model: null,
      parameters: {},
      disabled_capabilities: [],
      settings: {},
    },
    { text },
  );

test('the version that was asked for longest ago goes first, by number', () => {
  const cache = createVersionCache({ versions: 2, characters: 100 });
  cache.put('a', version('a'));
  cache.put('b', version('b'));
  assert.ok(cache.find('a'));
  cache.put('c', version('c'));
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => cache.find(key) !== undefined),
    [true, false, true],
  );
});

test('texts count together, and one that is too large alone is not kept', () => {
  const cache = createVersionCache({ versions: 10, characters: 100 });
  cache.put('a', version('x'.repeat(60)));
  cache.put('a', version('x'.repeat(60)));
  cache.put('b', version('x'.repeat(40)));
  assert.ok(cache.find('a') && cache.find('b'));
  cache.put('c', version('x'.repeat(1)));
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => cache.find(key) !== undefined),
    [false, true, true],
  );
  cache.put('d', version('x'.repeat(101)));
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => cache.find(key) !== undefined),
    [false, false, false, false],
  );
});
