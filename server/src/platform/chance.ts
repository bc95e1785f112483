import type { Clock } from './clock.ts';

/** A number from 0 to below 1, from the random part of an id: for waits that must not fall together. */
export function chance(clock: Pick<Clock, 'uuid'>): number {
  return Number.parseInt(clock.uuid().slice(-12), 16) / 2 ** 48;
}
