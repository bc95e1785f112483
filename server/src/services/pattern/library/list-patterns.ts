import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { patternOperations } from '@damask/contracts/pattern.ts';
import type { CallContext } from '#platform/call.ts';
import { inWorkspace, type LibraryParts } from './library-parts.ts';
import * as store from './pattern-store.ts';

type ListPatterns = typeof patternOperations.listPatterns;

export async function listPatterns(
  parts: LibraryParts,
  context: CallContext,
  { limit = 50, cursor, search, tag, deleted = false }: InputOf<ListPatterns>,
): Promise<OutputOf<ListPatterns>> {
  const { cursors } = parts;
  const filter = JSON.stringify([search ?? null, tag ?? null, deleted]);
  const list = { list: 'listPatterns', workspace: context.workspace, filter };
  const after = cursor === undefined ? null : (cursors.decode(list, cursor) as [string, string]);
  const rows = await inWorkspace(parts, context, (transaction) =>
    store.listPatterns(transaction, { deleted, search, tag, after, names: context.reach.patterns, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(list, [last.name, last.id]) } : { items };
}
