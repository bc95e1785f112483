import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { patternOperations } from '@damask/contracts/pattern.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { requireMatch } from '#platform/entity-tag.ts';
import { noteLabelMove, putLabel, readLabel } from './label-store.ts';
import { changeLibrary, type LibraryParts, labelMove, leaveTrace } from './library-parts.ts';
import { lockPattern, readPatternById } from './pattern-store.ts';

type SetLabel = typeof patternOperations.setLabel;

export async function setLabel(
  parts: LibraryParts,
  context: CallContext,
  { pattern: name, label, version, ...given }: InputOf<SetLabel>,
): Promise<OutputOf<SetLabel>> {
  return changeLibrary(parts, context, async (transaction) => {
    const pattern = await lockPattern(transaction, name, context);
    // Numbers have no gaps, so the newest one tells which there are.
    if (!pattern || version > pattern.latest) throw notFound();
    await requireMatch(given, () => readPatternById(transaction, pattern.id));
    const before = await readLabel(transaction, pattern.id, label);
    if (before === version) return readPatternById(transaction, pattern.id);
    const row = { workspace: context.workspace, pattern: pattern.id, label, number: version };
    const at = new Date(parts.clock.now());
    await parts.trail.look(transaction, `pattern/${name}`);
    await putLabel(transaction, row, at);
    await noteLabelMove(transaction, labelMove(parts, context, { ...row, before: before ?? null, after: version }), at);
    await leaveTrace(parts, transaction, context, {
      action: 'setLabel',
      subject: `pattern/${name}`,
      details: { label, version, before: before ?? null },
      event: 'pattern.label-set',
      data: { pattern: name, label, version },
    });
    return readPatternById(transaction, pattern.id);
  });
}
