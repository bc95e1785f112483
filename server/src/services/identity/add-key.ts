import type { ApiKey } from '@damask/contracts/identity.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, keysTopic } from './identity-parts.ts';
import { insertKey, type NewKey } from './store.ts';

export interface KeyToAdd extends Omit<NewKey, 'workspace' | 'id' | 'createdAt' | 'createdBy'> {
  /** The operation that makes the key. */
  readonly action: string;
}

/** Writes a key into the workspace of the context, with all that a new key leaves behind. */
export async function addKey(
  { clock, trail }: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  { action, ...key }: KeyToAdd,
): Promise<ApiKey> {
  const { workspace, actor } = context;
  const createdBy = actor.kind === 'key' ? actor.id : null;
  const added = await insertKey(transaction, {
    ...key,
    workspace,
    id: clock.uuid(),
    createdAt: clock.now(),
    createdBy,
  });
  await trail.leave(transaction, context, {
    action,
    subject: `key/${added.id}`,
    details: { name: added.name, role: added.role, expires_at: added.expires_at },
    event: 'identity.key-created',
    data: { key: added.id, role: added.role },
  });
  await bumpTopic(transaction, keysTopic);
  return added;
}
