import type { InputOf } from '@damask/contracts/operation.ts';
import type { ServiceAccount, serviceAccountOperations } from '@damask/contracts/service-account.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, keysTopic, membersTopic } from '../identity-parts.ts';
import { noteEndedKeys } from '../note-ended-keys.ts';
import { requireAsHigh } from '../role/pass-on-role.ts';
import { stopActors } from '../stop-actors.ts';
import * as store from './service-account-store.ts';

export async function deleteServiceAccount(
  { database, clock, trail }: IdentityParts,
  context: CallContext,
  { service_account: name }: InputOf<(typeof serviceAccountOperations)['deleteServiceAccount']>,
): Promise<ServiceAccount> {
  const { workspace } = context;
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const account = await store.lockServiceAccount(transaction, name);
    if (!account) throw notFound();
    await requireAsHigh(transaction, context, account.role);
    await trail.look(transaction, `service-account/${name}`);
    const keys = await store.deleteServiceAccount(transaction, account.id, clock.now());
    await trail.leave(transaction, context, {
      action: 'deleteServiceAccount',
      subject: `service-account/${name}`,
      details: { role: account.role, keys },
      event: 'identity.service-account-deleted',
      data: { service_account: name },
    });
    await noteEndedKeys(trail, transaction, context, keys);
    await stopActors(transaction, clock, context, [account.id, ...keys]);
    await bumpTopic(transaction, membersTopic);
    if (keys.length > 0) await bumpTopic(transaction, keysTopic);
    return account;
  });
}
