import type { Clock } from '#platform/clock.ts';

/** A clock that moves only from one timer to the next, so that years take no time and every run is the same. */
export interface VirtualClock extends Clock {
  /** Moves on to the next timer and fires it; false: there is none. Not beyond `most`. */
  step(most?: number): boolean;
  /** Moves on to this time; timers before it must have fired. */
  moveTo(time: number): void;
  /** When the next timer fires. */
  readonly next: number;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly call: () => void;
}

export function createVirtualClock(): VirtualClock {
  let time = Date.UTC(2026, 10, 23);
  let made = 0;
  const timers = new Set<Entry>();
  const first = () => {
    let found: Entry | undefined;
    for (const entry of timers) {
      if (found === undefined || entry.at < found.at || (entry.at === found.at && entry.order < found.order))
        found = entry;
    }
    return found;
  };
  const after = (ms: number, call: () => void) => {
    const entry = { at: time + Math.max(0, Math.ceil(ms)), order: made++, call };
    timers.add(entry);
    return { cancel: () => void timers.delete(entry) };
  };
  return {
    now: () => time,
    monotonic: () => time,
    after,
    sleep: (ms) => new Promise((resolve) => void after(ms, resolve)),
    uuid: () => `00000000-0000-7000-8000-${String(made++).padStart(12, '0')}`,
    step(most = Number.POSITIVE_INFINITY) {
      const entry = first();
      if (entry === undefined || entry.at > most) return false;
      timers.delete(entry);
      time = Math.max(time, entry.at);
      entry.call();
      return true;
    },
    moveTo(to) {
      time = Math.max(time, to);
    },
    get next() {
      return first()?.at ?? Number.POSITIVE_INFINITY;
    },
  };
}

/** Lets all that needs no time be done. */
export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
