import type { contextOperations } from '@damask/contracts/context.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import * as store from './context-store.ts';
import { type ConversationParts, inWorkspace } from './conversation-parts.ts';

type ListContexts = typeof contextOperations.listContexts;

export async function listContexts(
  parts: ConversationParts,
  { workspace }: CallContext,
  { limit = 50, cursor }: InputOf<ListContexts>,
): Promise<OutputOf<ListContexts>> {
  const { cursors } = parts;
  const list = { list: 'listContexts', workspace };
  const [after = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await inWorkspace(parts, workspace, (transaction) =>
    store.listContexts(transaction, { after, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(list, [last.name]) } : { items };
}
