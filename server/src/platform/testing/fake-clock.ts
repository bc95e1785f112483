import { type Clock, uuidMaker } from '../clock.ts';

export interface FakeClock extends Clock {
  /** Lets time pass: timers fire in their order, and what they promised is done before the next one. */
  pass(milliseconds: number): Promise<void>;
  /** Timers that wait. */
  readonly timers: number;
}

interface Waiting {
  readonly at: number;
  readonly call: () => void;
}

/** Work that was promised and needs no time may take so many turns. */
const turns = 20;

/** A clock that stands still until a test lets time pass. */
export function createFakeClock(start = Date.UTC(2026, 10, 23)): FakeClock {
  let passed = 0;
  const waiting = new Set<Waiting>();
  const settle = async () => {
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  };
  const after = (ms: number, call: () => void) => {
    const entry = { at: passed + Math.max(0, ms), call };
    waiting.add(entry);
    return { cancel: () => void waiting.delete(entry) };
  };
  return {
    now: () => start + passed,
    monotonic: () => passed,
    after,
    sleep: (ms) => new Promise((resolve) => void after(ms, resolve)),
    uuid: uuidMaker(() => start + passed),
    get timers() {
      return waiting.size;
    },
    async pass(milliseconds) {
      const end = passed + milliseconds;
      await settle();
      for (;;) {
        let next: Waiting | undefined;
        for (const one of waiting) if (one.at <= end && (next === undefined || one.at < next.at)) next = one;
        if (next === undefined) break;
        waiting.delete(next);
        passed = Math.max(passed, next.at);
        next.call();
        await settle();
      }
      passed = end;
      await settle();
    },
  };
}
