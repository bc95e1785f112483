import type { historyOperations } from '@damask/contracts/history.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { readLabelMoves } from '../library/label-store.ts';
import { inWorkspace, type LibraryParts } from '../library/library-parts.ts';
import { findPattern } from '../library/pattern-store.ts';

type ListLabelMoves = typeof historyOperations.listLabelMoves;

/** Newest first. */
export async function listLabelMoves(
  parts: LibraryParts,
  context: CallContext,
  { pattern: name, label, limit = 50, cursor }: InputOf<ListLabelMoves>,
): Promise<OutputOf<ListLabelMoves>> {
  const { cursors } = parts;
  const list = { list: 'listLabelMoves', workspace: context.workspace, filter: JSON.stringify([name, label ?? null]) };
  const [before] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await inWorkspace(parts, context, async (transaction) => {
    const pattern = await findPattern(transaction, name);
    if (!pattern) throw notFound();
    return readLabelMoves(transaction, pattern.id, { label: label ?? null, before: before ?? null, limit: limit + 1 });
  });
  const items = rows.slice(0, limit).map(({ id: _, ...move }) => move);
  const last = rows[limit - 1];
  return rows.length > limit && last ? { items, next: cursors.encode(list, [last.id]) } : { items };
}
