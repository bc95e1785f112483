import type { identityProviderOperations } from '@damask/contracts/identity-provider.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { describeProvider } from './describe-provider.ts';
import { listProviders } from './provider-store.ts';

type ListIdentityProviders = typeof identityProviderOperations.listIdentityProviders;

export async function listIdentityProviders(
  { database, cursors, publicUrl }: IdentityParts,
  { workspace }: CallContext,
  { limit = 50, cursor }: InputOf<ListIdentityProviders>,
): Promise<OutputOf<ListIdentityProviders>> {
  const list = { list: 'listIdentityProviders', workspace };
  const [after = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    listProviders(transaction, { after, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit).map((row) => describeProvider(row, publicUrl));
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(list, [last.name]) } : { items };
}
