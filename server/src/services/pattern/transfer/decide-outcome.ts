import type { ImportOutcome } from '@damask/contracts/transfer.ts';
import type { ExistingPattern } from '../library/pattern-store.ts';

export type Outcome = ImportOutcome;

export interface IncomingPattern {
  readonly digest: string;
  readonly kind: 'starter' | 'import';
}

/**
 * What an import does with one pattern, from three sides: what is here, what came last, what comes now.
 * `new`, `changed` and `replaced` publish a version; `same` and `kept` do not; `conflict` fails the whole import.
 * Whatever the outcome of an import, store its digest as `upstream`: then a decision to keep is not asked again.
 */
export function decideOutcome(
  existing: ExistingPattern | undefined,
  incoming: IncomingPattern,
  onConflict: 'fail' | 'keep' | 'replace' = 'fail',
): Outcome {
  if (!existing) return 'new';
  if (existing.digest === incoming.digest) return 'same';
  const { upstream } = existing;
  const unedited = upstream !== null && upstream.digest === existing.digest;
  if (incoming.kind === 'starter') return unedited && upstream.kind === 'starter' ? 'changed' : 'kept';
  if (unedited) return upstream.kind === 'starter' ? 'replaced' : 'changed';
  if (upstream?.digest === incoming.digest) return onConflict === 'replace' ? 'replaced' : 'kept';
  if (onConflict === 'fail') return 'conflict';
  return onConflict === 'keep' ? 'kept' : 'replaced';
}
