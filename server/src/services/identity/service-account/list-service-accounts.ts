import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { serviceAccountOperations } from '@damask/contracts/service-account.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import * as store from './service-account-store.ts';

type ListServiceAccounts = typeof serviceAccountOperations.listServiceAccounts;

export async function listServiceAccounts(
  { database, cursors }: IdentityParts,
  { workspace }: CallContext,
  { limit = 50, cursor }: InputOf<ListServiceAccounts>,
): Promise<OutputOf<ListServiceAccounts>> {
  const list = { list: 'listServiceAccounts', workspace };
  const [after = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    store.listServiceAccounts(transaction, { after, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(list, [last.name]) } : { items };
}
