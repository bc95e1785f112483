import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costOf } from './cost.ts';
import type { DatedPrice } from './price.ts';

const usage = { input_tokens: 1_000, output_tokens: 100, cached_input_tokens: null, reasoning_tokens: null };
const price: DatedPrice = {
  from: 0,
  input: 2_000_000,
  output: 10_000_000,
  cached_input: 200_000,
  cache_write: 2_500_000,
};
const day = (text: string) => Date.parse(`${text}T12:00:00Z`);

test('each kind of token has its price, and the sum is rounded up', () => {
  assert.equal(costOf(usage, [price], 1), 3_000);
  assert.equal(costOf({ ...usage, cached_input_tokens: 600 }, [price], 1), 1_920);
  assert.equal(costOf({ ...usage, cached_input_tokens: 600, cache_write_tokens: 400 }, [price], 1), 2_120);
  assert.equal(costOf({ ...usage, input_tokens: 1, output_tokens: 0 }, [{ ...price, input: 1 }], 1), 1);
});

test('what is not known costs an unknown sum, never 0', () => {
  assert.equal(costOf(usage, [], 1), null);
  assert.equal(costOf({ ...usage, output_tokens: null }, [price], 1), null);
  assert.equal(costOf({ ...usage, cached_input_tokens: 1 }, [{ ...price, cached_input: null }], 1), null);
  assert.equal(costOf({ ...usage, cache_write_tokens: 1 }, [{ ...price, cache_write: null }], 1), null);
  assert.equal(costOf({ ...usage, cached_input_tokens: 0 }, [{ ...price, cached_input: null }], 1), 3_000);
});

test('a model that is free costs nothing, whatever it counted', () => {
  const free = { ...price, input: 0, output: 0 };
  assert.equal(costOf({ ...usage, output_tokens: null }, [free], 1), 0);
});

test('a run is priced by the price of its day', () => {
  const prices = [
    { ...price, from: Date.parse('2026-09-29T00:00:00Z') },
    { ...price, from: Date.parse('2026-10-07T00:00:00Z'), input: 1_000_000 },
  ];
  assert.equal(costOf(usage, prices, day('2026-09-28')), null);
  assert.equal(costOf(usage, prices, day('2026-10-06')), 3_000);
  assert.equal(costOf(usage, prices, day('2026-10-07')), 2_000);
});

test('a long prompt is priced whole by the price of long prompts', () => {
  const above = { tokens: 1_000, input: 4_000_000, output: 15_000_000, cached_input: 400_000, cache_write: null };
  const tiered = [{ ...price, above }];
  assert.equal(costOf(usage, tiered, 1), 3_000);
  assert.equal(
    costOf({ ...usage, input_tokens: 1_001 }, tiered, 1),
    Math.ceil((1_001 * 4_000_000 + 1_500_000_000) / 1e6),
  );
});
