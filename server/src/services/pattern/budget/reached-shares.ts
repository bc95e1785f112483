import type { Limits } from './amount.ts';

export const shares = [50, 80, 100] as const;
export type Share = (typeof shares)[number];

/**
 * Shares of a limit that were reached and not told yet. Runs that are refused once four fifths are spent tell that the end
 * is reached: what is left pays for no call any more, though it is not nothing.
 */
export function reachedShares(
  limits: Limits,
  spent: { readonly spent_micros: number; readonly spent_tokens: number },
  refused: boolean,
  told: number,
): Share[] {
  const of = (amount: number, limit: number | null) => (limit === null ? 0 : (amount / limit) * 100);
  const share = Math.max(of(spent.spent_micros, limits.limit_micros), of(spent.spent_tokens, limits.limit_tokens));
  const reached = refused && share >= 80 ? 100 : share;
  return shares.filter((one) => one > told && one <= reached);
}
