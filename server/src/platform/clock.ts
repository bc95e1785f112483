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

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

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
    const byte = (at: number) => hex[pool[used + at] as number] as string;
    const variant = hex[((pool[used] as number) & 0x3f) | 0x80] as string;
    const tail = byte(2) + byte(3) + byte(4) + byte(5) + byte(6) + byte(7);
    const id = `${high.slice(0, 8)}-${high.slice(8)}-${(0x7000 | counter).toString(16)}-${variant}${byte(1)}-${tail}`;
    used += 8;
    return id;
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
