import type { historyOperations } from '@damask/contracts/history.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { changeLibrary, type LibraryParts, leaveTrace } from '../library/library-parts.ts';
import { lockPattern, markDeprecated, readPatternById } from '../library/pattern-store.ts';

type LiftDeprecation = typeof historyOperations.liftDeprecation;

/** A pattern that is not deprecated is `not_found`, as a label that is not there. */
export async function liftDeprecation(
  parts: LibraryParts,
  context: CallContext,
  { pattern: name }: InputOf<LiftDeprecation>,
): Promise<OutputOf<LiftDeprecation>> {
  return changeLibrary(parts, context, async (transaction) => {
    const pattern = await lockPattern(transaction, name, context);
    if (!pattern) throw notFound();
    const { deprecated } = await readPatternById(transaction, pattern.id);
    if (!deprecated) throw notFound();
    await parts.trail.look(transaction, `pattern/${name}`);
    await markDeprecated(transaction, pattern.id, null, new Date(parts.clock.now()));
    await leaveTrace(parts, transaction, context, {
      action: 'liftDeprecation',
      subject: `pattern/${name}`,
      event: 'pattern.deprecation-lifted',
      data: { pattern: name },
    });
    return readPatternById(transaction, pattern.id);
  });
}
