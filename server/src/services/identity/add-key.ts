import type { ApiKey } from '@damask/contracts/api-key.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, keysTopic } from './identity-parts.ts';
import { insertKey, type KeyBounds, type NewKey, unbounded } from './key-store.ts';

export interface KeyToAdd extends Omit<NewKey, 'workspace' | 'id' | 'createdAt' | 'createdBy' | 'bounds'> {
  /** The operation that makes the key. */
  readonly action: string;
  readonly bounds?: KeyBounds;
}

/** Writes a key into the workspace of the context, with all that a new key leaves behind. */
export async function addKey(
  { clock, trail }: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  { action, bounds = unbounded, ...key }: KeyToAdd,
): Promise<ApiKey> {
  const { workspace, actor } = context;
  const createdBy = actor.kind === 'system' ? null : actor.id;
  const added = await insertKey(transaction, {
    ...key,
    bounds,
    workspace,
    id: clock.uuid(),
    createdAt: clock.now(),
    createdBy,
  });
  await trail.leave(transaction, context, {
    action,
    subject: `key/${added.id}`,
    details: { name: added.name, role: added.role, expires_at: added.expires_at, ...narrowed(bounds) },
    event: 'identity.key-created',
    data: { key: added.id, role: added.role },
  });
  await bumpTopic(transaction, keysTopic);
  return added;
}

/** What is said of a key beyond its role, where there is something to say. */
function narrowed(bounds: KeyBounds): Record<string, unknown> {
  return Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== null));
}
