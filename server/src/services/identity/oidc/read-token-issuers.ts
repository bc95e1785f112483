import type { identityProviderOperations } from '@damask/contracts/identity-provider.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { readTokenIssuerRows } from './provider-store.ts';

type ReadTokenIssuers = typeof identityProviderOperations.readTokenIssuers;

export async function readTokenIssuers(
  { database }: IdentityParts,
  _context: CallContext,
  { after, limit = 1_000 }: InputOf<ReadTokenIssuers>,
): Promise<OutputOf<ReadTokenIssuers>> {
  const rows = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    readTokenIssuerRows(transaction, { after: after ?? null, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: last.id } : { items };
}
