import type { BatchRow } from './batch-record.ts';

/** Milliseconds for which ends are counted before the rate is set anew, and after which they are half forgotten. */
const countFor = 2_000;
const halfLife = 20_000;

type Rate = Pick<BatchRow, 'rate' | 'rated_at' | 'rated'>;

/** Lines that end in a second, of late: an average that forgets. What has to change of it after `ended` more. */
export function rateOf(before: Rate & { readonly now: string }, ended: number): Partial<Rate> {
  if (before.rated_at === null) return { rated_at: before.now, rated: ended };
  const rated = before.rated + ended;
  const passed = Date.parse(before.now) - Date.parse(before.rated_at);
  if (passed < countFor) return ended > 0 ? { rated } : {};
  const fresh = (rated * 1_000) / passed;
  const kept = before.rate === null ? 0 : 0.5 ** (passed / halfLife);
  return { rate: (before.rate ?? 0) * kept + fresh * (1 - kept), rated_at: before.now, rated: 0 };
}
