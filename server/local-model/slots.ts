import { ApiError } from './api-error.ts';

export interface Slots<Slot> {
  /** Waits for a free slot, first come first served. Rejects with 503 when too many wait, or with the signal's reason. */
  take(signal: AbortSignal): Promise<Slot>;
  give(slot: Slot): void;
  count(): { readonly busy: number; readonly waiting: number };
}

interface Waiting<Slot> {
  take(slot: Slot): void;
}

// A short answer of a small model takes about this long.
const retryAfterSeconds = 5;

/** Hands out the model's sequences; at most `maxWaiting` callers wait for one. */
export function createSlots<Slot>(slots: readonly Slot[], maxWaiting: number): Slots<Slot> {
  const free = [...slots];
  const queue: Waiting<Slot>[] = [];
  return {
    take(signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      const slot = free.pop();
      if (slot !== undefined) return Promise.resolve(slot);
      if (queue.length >= maxWaiting) {
        const message = `The local model is busy and ${queue.length} requests wait for it. Try again later.`;
        return Promise.reject(new ApiError(503, 'overloaded', message, { retryAfterSeconds }));
      }
      return new Promise((resolve, reject) => {
        const leave = () => {
          queue.splice(queue.indexOf(entry), 1);
          reject(signal.reason);
        };
        const entry: Waiting<Slot> = {
          take(freed) {
            signal.removeEventListener('abort', leave);
            resolve(freed);
          },
        };
        queue.push(entry);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
    give(slot) {
      const next = queue.shift();
      if (next) next.take(slot);
      else free.push(slot);
    },
    count: () => ({ busy: slots.length - free.length, waiting: queue.length }),
  };
}
