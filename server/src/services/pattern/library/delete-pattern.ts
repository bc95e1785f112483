import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { patternOperations } from '@damask/contracts/pattern.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { requireMatch } from '#platform/entity-tag.ts';
import { changeLibrary, type LibraryParts, leaveTrace } from './library-parts.ts';
import { lockPattern, markDeleted, readPatternById } from './pattern-store.ts';

type DeletePattern = typeof patternOperations.deletePattern;

/** The name is free afterwards. Versions and labels stay, for a restore. */
export async function deletePattern(
  parts: LibraryParts,
  context: CallContext,
  { pattern: name, ...given }: InputOf<DeletePattern>,
): Promise<OutputOf<DeletePattern>> {
  return changeLibrary(parts, context, async (transaction) => {
    const pattern = await lockPattern(transaction, name, context);
    if (!pattern) throw notFound();
    await requireMatch(given, () => readPatternById(transaction, pattern.id));
    const at = new Date(parts.clock.now());
    await parts.trail.look(transaction, `pattern/${name}`);
    await markDeleted(transaction, pattern.id, at, at);
    await leaveTrace(parts, transaction, context, {
      action: 'deletePattern',
      subject: `pattern/${name}`,
      details: { id: pattern.id },
      event: 'pattern.pattern-deleted',
      data: { pattern: name },
    });
    return readPatternById(transaction, pattern.id);
  });
}
