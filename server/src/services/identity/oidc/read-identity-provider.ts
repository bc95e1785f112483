import type { IdentityProvider, identityProviderOperations } from '@damask/contracts/identity-provider.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { describeProvider } from './describe-provider.ts';
import { findProvider } from './provider-store.ts';

export async function readIdentityProvider(
  { database, publicUrl }: IdentityParts,
  { workspace }: CallContext,
  { identity_provider: name }: InputOf<typeof identityProviderOperations.readIdentityProvider>,
): Promise<IdentityProvider> {
  const row = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    findProvider(transaction, name),
  );
  if (!row) throw notFound();
  return describeProvider(row, publicUrl);
}
