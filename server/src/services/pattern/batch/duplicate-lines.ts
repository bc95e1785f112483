import { createHash } from 'node:crypto';
import type { BatchItem } from '@damask/contracts/batch-operations.ts';

/** Remembers which line first had a content: 16 bytes of a hash and a number for each, not the texts. */
export interface Duplicates {
  /** The line that had the same input and variables before, or this one. */
  firstWith(item: BatchItem, line: number): number;
}

export function createDuplicates(most: number): Duplicates {
  // Half of the slots stay free, so that a search ends soon.
  const slots = 2 ** Math.ceil(Math.log2(Math.max(2, most * 2)));
  const hashes = new BigUint64Array(slots * 2);
  const lines = new Int32Array(slots);
  return {
    firstWith(item, line) {
      const hash = hashOf(item);
      const [low, high] = [hash.readBigUInt64BE(), hash.readBigUInt64BE(8)];
      let slot = hash.readUInt32BE(16) % slots;
      for (; lines[slot] !== 0; slot = (slot + 1) % slots) {
        if (hashes[slot * 2] === low && hashes[slot * 2 + 1] === high) return lines[slot] as number;
      }
      hashes[slot * 2] = low;
      hashes[slot * 2 + 1] = high;
      lines[slot] = line;
      return line;
    },
  };
}

function hashOf({ input = '', variables = {} }: BatchItem): Buffer {
  const names = Object.keys(variables).sort();
  const content = JSON.stringify([input, names.map((name) => [name, variables[name]])]);
  return createHash('sha256').update(content).digest();
}
