import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { patternOperations } from '@damask/contracts/pattern.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { changeLibrary, type LibraryParts, leaveTrace } from './library-parts.ts';
import { findPattern, lockDeleted, lockNames, markDeleted, readPatternById } from './pattern-store.ts';

type RestorePattern = typeof patternOperations.restorePattern;

/** Of several deleted patterns of the name, the one that was deleted last. */
export async function restorePattern(
  parts: LibraryParts,
  context: CallContext,
  { pattern: name }: InputOf<RestorePattern>,
): Promise<OutputOf<RestorePattern>> {
  return changeLibrary(parts, context, async (transaction) => {
    await lockNames(transaction);
    if (await findPattern(transaction, name)) throw nameInUse(name);
    const pattern = await lockDeleted(transaction, name, context);
    if (!pattern) throw notFound();
    await parts.trail.look(transaction, `pattern/${name}`);
    await markDeleted(transaction, pattern.id, null, new Date(parts.clock.now()));
    await leaveTrace(parts, transaction, context, {
      action: 'restorePattern',
      subject: `pattern/${name}`,
      details: { id: pattern.id },
      event: 'pattern.pattern-restored',
      data: { pattern: name },
    });
    return readPatternById(transaction, pattern.id);
  });
}

function nameInUse(name: string): AppError {
  return new AppError(
    'already_exists',
    `A pattern named ${name} is in use. Delete it first if the deleted one should take its place.`,
    { pointer: '/pattern' },
  );
}
