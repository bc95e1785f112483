import type { Clock } from '#platform/clock.ts';

/** Milliseconds before an act of the store is repeated: half a minute in all. */
const pauses = [50, 200, 500, 1_000, 3_000, 5_000, 10_000, 10_000];

/** A reply that was lost leaves it unknown whether the act was done: all acts of the store are safe to repeat. */
export async function insist<Value>(clock: Clock, act: () => Promise<Value>): Promise<Value> {
  for (const pause of pauses) {
    try {
      return await act();
    } catch {
      await clock.sleep(pause);
    }
  }
  return act();
}
