import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { patternOperations } from '@damask/contracts/pattern.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { inWorkspace, type LibraryParts } from './library-parts.ts';
import { findPattern } from './pattern-store.ts';

type ReadPattern = typeof patternOperations.readPattern;

export async function readPattern(
  parts: LibraryParts,
  context: CallContext,
  input: InputOf<ReadPattern>,
): Promise<OutputOf<ReadPattern>> {
  const pattern = await inWorkspace(parts, context, (transaction) => findPattern(transaction, input.pattern));
  if (!pattern) throw notFound();
  return pattern;
}
