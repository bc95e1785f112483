import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { patternOperations } from '@damask/contracts/pattern.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { requireMatch } from '#platform/entity-tag.ts';
import { dropLabel, noteLabelMove, readLabel } from './label-store.ts';
import { changeLibrary, type LibraryParts, labelMove, leaveTrace } from './library-parts.ts';
import { lockPattern, readPatternById } from './pattern-store.ts';

type RemoveLabel = typeof patternOperations.removeLabel;

export async function removeLabel(
  parts: LibraryParts,
  context: CallContext,
  { pattern: name, label, ...given }: InputOf<RemoveLabel>,
): Promise<OutputOf<RemoveLabel>> {
  return changeLibrary(parts, context, async (transaction) => {
    const pattern = await lockPattern(transaction, name, context);
    if (!pattern) throw notFound();
    await requireMatch(given, () => readPatternById(transaction, pattern.id));
    const before = await readLabel(transaction, pattern.id, label);
    if (before === undefined) throw notFound();
    const at = new Date(parts.clock.now());
    await parts.trail.look(transaction, `pattern/${name}`);
    await dropLabel(transaction, pattern.id, label, at);
    const move = { workspace: context.workspace, pattern: pattern.id, label, before, after: null };
    await noteLabelMove(transaction, labelMove(parts, context, move), at);
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
