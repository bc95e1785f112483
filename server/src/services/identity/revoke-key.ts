import type { ApiKey } from '@damask/contracts/api-key.ts';
import type { identityOperations } from '@damask/contracts/identity.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, keysTopic } from './identity-parts.ts';
import { findKey, hasOtherOwner, markRevoked } from './key-store.ts';

type RevokeKey = typeof identityOperations.revokeKey;

export async function revokeKey(
  { database, clock, trail }: IdentityParts,
  context: CallContext,
  input: InputOf<RevokeKey>,
): Promise<OutputOf<RevokeKey>> {
  const scope = { role: 'identity', workspace: context.workspace };
  return database.transaction(scope, async (transaction) => {
    const key = await findKey(transaction, input.key);
    if (!key) throw notFound();
    if (key.role === 'owner') {
      if (context.actor.role !== 'owner') throw ownersOnly();
      if (key.member === null && isLive(key, clock.now()) && !(await hasOtherOwner(transaction, key.id, clock.now()))) {
        throw lastOwner();
      }
    }
    await trail.look(transaction, `key/${key.id}`);
    const revoked = await markRevoked(transaction, key.id, clock.now());
    // Revoked before, perhaps a moment ago: the same answer, and nothing new to tell.
    if (!revoked) return (await findKey(transaction, key.id)) ?? key;
    await trail.leave(transaction, context, {
      action: 'revokeKey',
      subject: `key/${key.id}`,
      details: { name: key.name, role: key.role },
      event: 'identity.key-revoked',
      data: { key: key.id },
    });
    await bumpTopic(transaction, keysTopic);
    return revoked;
  });
}

function isLive({ revoked_at, expires_at }: ApiKey, now: number): boolean {
  return revoked_at === null && (expires_at === null || Date.parse(expires_at) > now);
}

// An admin who could revoke owners would be above them: all but the last could be locked out.
function ownersOnly(): AppError {
  return new AppError('forbidden', 'Only an owner revokes the key of an owner. Ask one.', { need: 'role:owner' });
}

function lastOwner(): AppError {
  return new AppError(
    'policy_refused',
    'This is the last owner key; without it nobody could manage the workspace. Make another key with the role owner first.',
  );
}
