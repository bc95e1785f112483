import { AppError } from '#platform/app-error.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { hashSecret } from '../login/mint-secret.ts';
import { findPermissions } from '../role/pass-on-role.ts';
import * as store from './invitation-store.ts';
import { findInviter, type Inviter } from './inviter-store.ts';

const shape = /^dmi_[A-Za-z0-9_-]{43}$/;

/** Where an invitation is. */
export interface FoundInvitation {
  readonly workspace: string;
  readonly id: string;
}

/** An open invitation whose inviter may still give its role. */
export interface HeldInvitation extends store.StoredInvitation {
  readonly invitedBy: string;
}

/** Where the invitation of a secret is, in whatever state. Errors: `sign_in_refused`. */
export async function findBySecret(
  { database }: Pick<IdentityParts, 'database'>,
  secret: string,
): Promise<FoundInvitation> {
  if (!shape.test(secret)) throw invitationRefused();
  const found = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    store.findByHash(transaction, hashSecret(secret)),
  );
  if (!found) throw invitationRefused();
  return found;
}

/** The same of one that can be taken now. Errors: `sign_in_refused`. */
export async function findTakeable(
  { database, clock }: Pick<IdentityParts, 'database' | 'clock'>,
  secret: string,
): Promise<FoundInvitation> {
  const found = await findBySecret({ database }, secret);
  const held = await database.transaction({ role: 'identity', workspace: found.workspace }, (transaction) =>
    holdInvitation(transaction, found.id, clock.now()),
  );
  if (!held) throw invitationRefused();
  return found;
}

/**
 * In a transaction of its workspace: locks an invitation that can be taken now. Undefined where it is over, or where
 * whoever invited may not give the role any more. Who locks the member too does so before: so do those who remove them.
 */
export async function holdInvitation(
  transaction: Transaction,
  id: string,
  now: number,
): Promise<HeldInvitation | undefined> {
  const invitation = await store.lockInvitation(transaction, id, now);
  if (invitation?.state !== 'open') return undefined;
  const inviter = await findInviter(transaction, { kind: invitation.inviter, id: invitation.created_by, now });
  if (!inviter || !(await mayStillGive(transaction, inviter, invitation))) return undefined;
  return { ...invitation, invitedBy: inviter.name };
}

// By the same rules as when it was made, with what both roles hold today. A role that is gone is given by nobody.
async function mayStillGive(
  transaction: Transaction,
  { role, scopes, holder }: Inviter,
  invitation: store.StoredInvitation,
): Promise<boolean> {
  const given = await findPermissions(transaction, invitation.role);
  const ofRole = await findPermissions(transaction, role);
  const ofHolder = holder === null ? ofRole : await findPermissions(transaction, holder);
  if (!given || !ofRole || !ofHolder) return false;
  const owns = role === 'owner' && (holder === null || holder === 'owner');
  if (invitation.role === 'owner' && !owns) return false;
  return ['member:write' as const, ...given].every(
    (one) => ofRole.includes(one) && ofHolder.includes(one) && (scopes?.includes(one) ?? true),
  );
}

/** One answer for all causes. */
export function invitationRefused(): AppError {
  return new AppError(
    'sign_in_refused',
    'This invitation is not valid, is over or was used before. Ask whoever invited you for another one.',
  );
}
