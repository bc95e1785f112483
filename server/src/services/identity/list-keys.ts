import type { identityOperations } from '@damask/contracts/identity.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from './identity-parts.ts';
import * as store from './key-store.ts';

type ListKeys = typeof identityOperations.listKeys;

export async function listKeys(
  { database, cursors }: IdentityParts,
  context: CallContext,
  { limit = 50, cursor }: InputOf<ListKeys>,
): Promise<OutputOf<ListKeys>> {
  const { workspace } = context;
  const list = { list: 'listKeys', workspace };
  const [before = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    store.listKeys(transaction, { before, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(list, [last.id]) } : { items };
}
