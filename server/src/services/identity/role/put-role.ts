import type { InputOf } from '@damask/contracts/operation.ts';
import { type Permission, permissions } from '@damask/contracts/permissions.ts';
import type { RoleItem, roleOperations } from '@damask/contracts/role-operations.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import { stopActors, stopsRuns } from '../stop-actors.ts';
import { requireHeld, requireWholeReach } from './pass-on-role.ts';
import { mostRoles, toRole } from './role-item.ts';
import { listActorsOfRole, listRoles, lockRole, putRole as saveRole } from './role-store.ts';

export async function putRole(
  { database, clock, trail }: IdentityParts,
  context: CallContext,
  input: InputOf<(typeof roleOperations)['putRole']>,
): Promise<RoleItem> {
  const { workspace } = context;
  const { custom_role: name, description = '' } = input;
  requireWholeReach(context);
  const held = permissions.filter((permission) => input.permissions.includes(permission));
  requireHeld(context, held, `a role that holds ${held.length === 1 ? 'it' : 'them'}`);
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const before = await lockRole(transaction, name);
    if (before && before.description === description && isSame(before.permissions, held)) return toRole(before);
    if (!before && (await listRoles(transaction, mostRoles)).length >= mostRoles) throw tooMany();
    await trail.look(transaction, `role/${name}`);
    const role = toRole(await saveRole(transaction, workspace, { name, description, permissions: held }, clock.now()));
    await trail.leave(transaction, context, {
      action: 'putRole',
      subject: `role/${name}`,
      details: { permissions: held, before: before?.permissions ?? null },
      event: 'identity.role-put',
      data: { role: name },
    });
    if (before && stopsRuns(before.permissions, held)) {
      await stopActors(transaction, clock, context, await listActorsOfRole(transaction, `custom:${name}`));
    }
    await bumpTopic(transaction, membersTopic);
    return role;
  });
}

function isSame(one: readonly Permission[], other: readonly Permission[]): boolean {
  return one.length === other.length && one.every((permission) => other.includes(permission));
}

function tooMany(): AppError {
  return new AppError(
    'policy_refused',
    `A workspace has ${mostRoles} roles of its own at most. Delete one first; \`damask roles\` lists them.`,
    { pointer: '/custom_role' },
  );
}
