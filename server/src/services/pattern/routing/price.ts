/** Millionths of a US dollar for a million tokens. Null: not known. */
export interface Price {
  readonly input: number;
  readonly output: number;
  readonly cached_input: number | null;
  readonly cache_write: number | null;
}

/** A price from a day on. `above`: what calls with more input tokens than that cost, where vendors charge those more. */
export interface DatedPrice extends Price {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly above?: Price & { readonly tokens: number };
}

/** What a call of that moment and size costs; null where nobody knows. `prices` is ordered by `from`. */
export function priceAt(prices: readonly DatedPrice[], now: number, inputTokens: number): Price | null {
  for (let i = prices.length - 1; i >= 0; i--) {
    const price = prices[i] as DatedPrice;
    if (price.from > now) continue;
    return price.above !== undefined && inputTokens > price.above.tokens ? price.above : price;
  }
  return null;
}
