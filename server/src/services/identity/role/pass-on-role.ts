import { type Permission, type Role, type RoleRef, rolePermissions } from '@damask/contracts/permissions.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { findRolePermissions } from './role-store.ts';

/** What a role holds now. Errors: `not_found` for a role that the workspace does not have. */
export async function permissionsOfRole(transaction: Transaction, role: RoleRef): Promise<readonly Permission[]> {
  const held = await findPermissions(transaction, role);
  if (!held) throw notFound();
  return held;
}

/** The same, without a word where there is no such role. */
export async function findPermissions(
  transaction: Transaction,
  role: RoleRef,
): Promise<readonly Permission[] | undefined> {
  if (Object.hasOwn(rolePermissions, role)) return rolePermissions[role as Role];
  return findRolePermissions(transaction, role.slice('custom:'.length));
}

/**
 * Nobody hands out more than they hold. Answers what the role holds. Errors: `forbidden` where that is more than the
 * caller does, `not_found` for an unknown role. `only` is what of the role is handed out.
 */
export async function checkRolePassedOn(
  transaction: Transaction,
  { actor, permissions }: CallContext,
  role: RoleRef,
  only?: readonly Permission[],
): Promise<readonly Permission[]> {
  const held = await permissionsOfRole(transaction, role);
  // Ownership is more than its permissions of today: it also holds the ones to come, so only an owner passes it on.
  const ownership = role === 'owner' && actor.role !== 'owner';
  const need = ownership ? 'role:owner' : (only ?? held).find((permission) => !permissions.has(permission));
  if (need === undefined) return held;
  throw new AppError(
    'forbidden',
    `You can only pass on what you hold yourself: the role ${role} needs ${need}. Choose a lower role, or ask an owner.`,
    { need },
  );
}

/**
 * Nobody acts on one who holds more than they do: they could lock everybody above them out. Errors: `forbidden`.
 * A role that is gone holds nothing. Answers what the role holds.
 */
export async function requireAsHigh(
  transaction: Transaction,
  context: CallContext,
  role: RoleRef,
): Promise<readonly Permission[]> {
  const held = (await findPermissions(transaction, role)) ?? [];
  const ownership = role === 'owner' && context.actor.role !== 'owner';
  const need = ownership ? 'role:owner' : held.find((permission) => !context.permissions.has(permission));
  if (need === undefined) return held;
  throw new AppError('forbidden', `The role ${role} holds more than you do: ${need}. Ask somebody who holds it.`, {
    need,
  });
}

/** Errors: `forbidden` where the caller does not hold one of them; `what` says what they are for. */
export function requireHeld({ permissions }: CallContext, needed: readonly Permission[], what: string): void {
  const need = needed.find((permission) => !permissions.has(permission));
  if (need === undefined) return;
  throw new AppError(
    'forbidden',
    `You can only pass on what you hold yourself: ${need} is missing for ${what}. Leave it out, or ask an owner.`,
    { need },
  );
}

/** Who is held to some patterns or environments hands out nothing that is not. Errors: `forbidden`. */
export function requireWholeReach({ reach }: CallContext): void {
  if (reach.patterns === null && reach.environments === null) return;
  throw new AppError(
    'forbidden',
    'This key reaches some patterns or environments only, and what you ask for would reach them all. Use another key.',
    { need: 'reach:all' },
  );
}
