import type { Damask } from '@damask/sdk';
import { explainMissingName } from './explain-missing-name.ts';

/** A better error where it is the pattern that is missing: with the name that was probably meant. */
export function explainMissingPattern(damask: Damask, pattern: string, error: unknown): Promise<unknown> {
  return explainMissingName(error, { what: 'pattern', name: pattern, all: damask.patterns.listAll() });
}
