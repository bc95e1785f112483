import type { Usage } from '@damask/contracts/run.ts';
import type { Price } from '../model/model-router.ts';

/** Cost in millionths of a US dollar, rounded up; null when the price or a count is not known. */
export function costOf(usage: Usage, price: Price | null): number | null {
  if (price === null) return null;
  // A free model costs nothing, however much it said.
  if (price.input === 0 && price.output === 0) return 0;
  if (usage.input_tokens === null || usage.output_tokens === null) return null;
  return Math.ceil((usage.input_tokens * price.input + usage.output_tokens * price.output) / 1_000_000);
}
