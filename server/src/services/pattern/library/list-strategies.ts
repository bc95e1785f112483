import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { strategyOperations } from '@damask/contracts/strategy.ts';
import type { CallContext } from '#platform/call.ts';
import { inWorkspace, type LibraryParts } from './library-parts.ts';
import * as store from './strategy-store.ts';

type ListStrategies = typeof strategyOperations.listStrategies;

export async function listStrategies(
  parts: LibraryParts,
  context: CallContext,
  { limit = 50, cursor }: InputOf<ListStrategies>,
): Promise<OutputOf<ListStrategies>> {
  const { cursors } = parts;
  const list = { list: 'listStrategies', workspace: context.workspace };
  const [after = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await inWorkspace(parts, context, (transaction) =>
    store.listStrategies(transaction, { after, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(list, [last.name]) } : { items };
}
