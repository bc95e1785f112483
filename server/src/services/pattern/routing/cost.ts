import type { ModelUsage } from '../model/model-call.ts';
import { type DatedPrice, priceAt } from './price.ts';

/**
 * Cost in millionths of a US dollar, rounded up, by the price of the moment `now`. Null when a count or a price that it
 * takes is not known. `input_tokens` holds the cached ones and those that were put into the cache.
 */
export function costOf(usage: ModelUsage, prices: readonly DatedPrice[], now: number): number | null {
  const { input_tokens: input, output_tokens: output, cached_input_tokens, cache_write_tokens } = usage;
  const price = priceAt(prices, now, input ?? 0);
  if (price === null) return null;
  // A free model costs nothing, however much it said.
  if (price.input === 0 && price.output === 0) return 0;
  if (input === null || output === null) return null;
  const cached = cached_input_tokens ?? 0;
  const written = cache_write_tokens ?? 0;
  if ((cached > 0 && price.cached_input === null) || (written > 0 && price.cache_write === null)) return null;
  const fresh = Math.max(0, input - cached - written);
  const total =
    fresh * price.input +
    cached * (price.cached_input ?? 0) +
    written * (price.cache_write ?? 0) +
    output * price.output;
  return Math.ceil(total / 1_000_000);
}
