import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { patternOperations } from '@damask/contracts/pattern.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { dropLabel } from './label-store.ts';
import { changeLibrary, type LibraryParts, leaveTrace } from './library-parts.ts';
import { lockPattern, readPatternById } from './pattern-store.ts';

type RemoveLabel = typeof patternOperations.removeLabel;

export async function removeLabel(
  parts: LibraryParts,
  context: CallContext,
  { pattern: name, label }: InputOf<RemoveLabel>,
): Promise<OutputOf<RemoveLabel>> {
  return changeLibrary(parts, context, async (transaction) => {
    const pattern = await lockPattern(transaction, name);
    if (!pattern) throw notFound();
    const dropped = await dropLabel(transaction, pattern.id, label, new Date(parts.clock.now()));
    if (!dropped) throw notFound();
    await leaveTrace(parts, transaction, context, {
      action: 'removeLabel',
      subject: `pattern/${name}`,
      details: { label },
      event: 'pattern.label-removed',
      data: { pattern: name, label },
    });
    return readPatternById(transaction, pattern.id);
  });
}
