import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { patternOperations } from '@damask/contracts/pattern.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { warned } from '../guard/find-warnings.ts';
import { inWorkspace, type LibraryParts } from './library-parts.ts';
import { findPattern } from './pattern-store.ts';
import { findVersion } from './version-store.ts';

type ReadVersion = typeof patternOperations.readVersion;

export async function readVersion(
  parts: LibraryParts,
  context: CallContext,
  input: InputOf<ReadVersion>,
): Promise<OutputOf<ReadVersion>> {
  const version = await inWorkspace(parts, context, async (transaction) => {
    const pattern = await findPattern(transaction, input.pattern);
    return pattern && findVersion(transaction, pattern.id, input.version);
  });
  if (!version) throw notFound();
  return { ...version, ...warned(version) };
}
