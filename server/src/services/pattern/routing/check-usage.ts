import { type ModelResult, type ModelUsage, unknownUsage } from '../model/model-call.ts';

export type UsageFlag = 'usage_missing' | 'usage_absurd';

/** Vendors count differently at the edges; twice the window is no count at all. */
const plausible = 2;

/**
 * Counts that cannot be true are as good as none: the cost is then unknown, never 0, and the attempt is flagged. Of a
 * call that failed nothing is expected.
 */
export function checkUsage(
  result: ModelResult,
  contextWindow: number | null,
): { usage: ModelUsage; flag: UsageFlag | null } {
  const { usage } = result;
  const { input_tokens: input, output_tokens: output } = usage;
  if (isAbsurd(usage, contextWindow)) return { usage: unknownUsage, flag: 'usage_absurd' };
  if (!result.ok) return { usage, flag: null };
  if (input === null || output === null) return { usage, flag: 'usage_missing' };
  if (input === 0 || (output === 0 && result.firstOutputMs !== null))
    return { usage: unknownUsage, flag: 'usage_absurd' };
  return { usage, flag: null };
}

function isAbsurd(usage: ModelUsage, window: number | null): boolean {
  const input = usage.input_tokens ?? 0;
  const output = usage.output_tokens ?? 0;
  const cached = usage.cached_input_tokens ?? 0;
  const written = usage.cache_write_tokens ?? 0;
  if (input < 0 || output < 0 || cached < 0 || written < 0) return true;
  if (usage.input_tokens !== null && cached + written > input) return true;
  return window !== null && input + output > window * plausible;
}
