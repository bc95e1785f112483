import type { IdentityProvider, identityProviderOperations } from '@damask/contracts/identity-provider.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic, providersTopic } from '../identity-parts.ts';
import { describeProvider } from './describe-provider.ts';
import { findProvider, removeProvider } from './provider-store.ts';

export async function deleteIdentityProvider(
  { database, trail, publicUrl }: IdentityParts,
  context: CallContext,
  { identity_provider: name }: InputOf<typeof identityProviderOperations.deleteIdentityProvider>,
): Promise<IdentityProvider> {
  const { workspace } = context;
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const row = await findProvider(transaction, name);
    if (!row) throw notFound();
    await trail.look(transaction, `identity-provider/${name}`);
    await removeProvider(transaction, name);
    await trail.leave(transaction, context, {
      action: 'deleteIdentityProvider',
      subject: `identity-provider/${name}`,
      details: { issuer: row.issuer },
      event: 'identity.provider-deleted',
      data: { provider: name },
    });
    await bumpTopic(transaction, providersTopic);
    await bumpTopic(transaction, membersTopic);
    return describeProvider(row, publicUrl);
  });
}
