import { createSecretKey } from 'node:crypto';
import { keyIdOf } from '../crypto/key-file.ts';
import { createLocalWrappingKey, ringOf } from '../crypto/local-wrapping-key.ts';

/** A key-encryption key in memory; the same number gives the same key. */
export function testKek(number = 2) {
  const bytes = Buffer.alloc(32, number);
  return { key: createSecretKey(bytes), id: keyIdOf(bytes) };
}

export const testKeys = (number?: number) => ringOf(createLocalWrappingKey(testKek(number), 'file', 'of tests'));
