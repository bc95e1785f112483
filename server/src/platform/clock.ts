import { randomFillSync } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

export interface Timer {
  cancel(): void;
}

/** Time, timers and ids. Logic never asks the machine itself, so that tests can drive it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds that never go back, with fractions. */
  monotonic(): number;
  /** Calls once after `ms` (clamped to 2^31-1, which Node would otherwise turn into 1 ms). */
  after(ms: number, call: () => void): Timer;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A UUIDv7: ordered by time, and by call within one process. */
  uuid(): string;
}

const longestTimer = 2 ** 31 - 1;
const clampDelay = (ms: number) => Math.max(0, Math.min(longestTimer, Math.ceil(ms)));

/** Makes UUIDv7 ids (RFC 9562, method 1: a counter within the millisecond). */
export function uuidMaker(now: () => number): () => string {
  const pool = new Uint8Array(4096);
  let used = pool.length;
  let last = 0;
  let counter = 0;
  return () => {
    const time = now();
    if (time > last) {
      last = time;
      counter = 0;
    } else if (++counter > 0xfff) {
      last += 1;
      counter = 0;
    }
    if (used + 8 > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const high = last.toString(16).padStart(12, '0');
    const sequence = (0x7000 | counter).toString(16);
    let tail = '';
    for (let i = 0; i < 8; i++) {
      const byte = pool[used + i] as number;
      tail += (i === 0 ? (byte & 0x3f) | 0x80 : byte).toString(16).padStart(2, '0');
    }
    used += 8;
    return `${high.slice(0, 8)}-${high.slice(8)}-${sequence}-${tail.slice(0, 4)}-${tail.slice(4)}`;
  };
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, clampDelay(ms));
    return { cancel: () => clearTimeout(timer) };
  },
  sleep: (ms, signal) => wait(clampDelay(ms), undefined, signal ? { signal } : {}),
  uuid: uuidMaker(() => Date.now()),
};
