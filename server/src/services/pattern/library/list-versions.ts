import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { patternOperations } from '@damask/contracts/pattern.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { inWorkspace, type LibraryParts } from './library-parts.ts';
import { findPattern } from './pattern-store.ts';
import * as store from './version-store.ts';

type ListVersions = typeof patternOperations.listVersions;

export async function listVersions(
  parts: LibraryParts,
  context: CallContext,
  { pattern: name, limit = 50, cursor }: InputOf<ListVersions>,
): Promise<OutputOf<ListVersions>> {
  const { cursors } = parts;
  const list = { list: 'listVersions', workspace: context.workspace, filter: name };
  const [before] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await inWorkspace(parts, context, async (transaction) => {
    const pattern = await findPattern(transaction, name);
    if (!pattern) throw notFound();
    const page = { before: before === undefined ? null : Number(before), limit: limit + 1 };
    return store.listVersions(transaction, pattern.id, page);
  });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(list, [String(last.version)]) } : { items };
}
