import type { Destination, Source } from '../backup/place.ts';

export function memorySource(bytes: Buffer, others: Readonly<Record<string, Buffer>> = {}, name = 'a backup'): Source {
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
    // Pieces that end anywhere.
    async *stream(from) {
      for (let at = from; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000);
    },
    beside: async (other) => (others[other] ? memorySource(others[other], others, other) : undefined),
    close: async () => undefined,
  };
}

/** Keeps what was written; `finished` says whether it would have its name. */
export function memoryDestination() {
  const pieces: Buffer[] = [];
  const state = { finished: false, aborted: false };
  const destination: Destination = {
    name: 'a backup',
    async write(bytes) {
      pieces.push(Buffer.from(bytes));
    },
    async finish() {
      state.finished = true;
    },
    async abort() {
      state.aborted = true;
    },
  };
  return { destination, state, bytes: () => Buffer.concat(pieces) };
}
