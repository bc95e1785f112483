import type { ServerResponse } from 'node:http';
import type { Clock } from '#platform/clock.ts';

/** Milliseconds that the end of an answer may take, and bytes a millisecond beyond that: half a megabit a second. */
const patience = 30_000;
const slowest = 64;

/** An answer that has ended but that nobody takes must not hold its memory and its connection for ever. */
export function closeUntaken(response: ServerResponse, clock: Clock): void {
  if (response.writableLength === 0 || response.destroyed) return;
  const timer = clock.after(patience + response.writableLength / slowest, () => response.destroy());
  response.once('close', () => timer.cancel());
}
