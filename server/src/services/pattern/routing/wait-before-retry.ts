const firstMs = 500;
const longestMs = 30_000;

/**
 * Milliseconds until a call may be repeated: full jitter over 0.5 s, 1 s, 2 s ... 30 s, and never sooner than the
 * provider said. Null when it asks for more than 30 s: nobody waits so long for an answer, and earlier is not allowed.
 * `chance` is from 0 to 1, `repeats` counts from 0.
 */
export function waitBeforeRetry(repeats: number, retryAfterSeconds: number | undefined, chance: number): number | null {
  const jitter = chance * Math.min(longestMs, firstMs * 2 ** repeats);
  if (retryAfterSeconds === undefined) return Math.round(jitter);
  const asked = Math.max(firstMs, retryAfterSeconds * 1_000);
  return asked > longestMs ? null : Math.round(asked + jitter);
}
