import type { InputOf } from '@damask/contracts/operation.ts';
import type { RoleItem, roleOperations } from '@damask/contracts/role-operations.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import { toRole } from './role-item.ts';
import { findUseOfRole, lockRole, deleteRole as removeRole } from './role-store.ts';

export async function deleteRole(
  { database, clock, trail }: IdentityParts,
  context: CallContext,
  { custom_role: name }: InputOf<(typeof roleOperations)['deleteRole']>,
): Promise<RoleItem> {
  const { workspace } = context;
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const role = await lockRole(transaction, name);
    if (!role) throw notFound();
    const who = await findUseOfRole(transaction, `custom:${name}`, clock.now());
    if (who !== undefined) throw inUse(name, who);
    await trail.look(transaction, `role/${name}`);
    await removeRole(transaction, name);
    await trail.leave(transaction, context, {
      action: 'deleteRole',
      subject: `role/${name}`,
      details: { permissions: role.permissions },
      event: 'identity.role-deleted',
      data: { role: name },
    });
    await bumpTopic(transaction, membersTopic);
    return toRole(role);
  });
}

function inUse(name: string, who: string): AppError {
  return new AppError(
    'policy_refused',
    `There are ${who} with the role custom:${name}. Give them another one first, or revoke them.`,
    { pointer: '/custom_role' },
  );
}
