import type { Invitation, invitationOperations } from '@damask/contracts/invitation.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { requireAsHigh } from '../role/pass-on-role.ts';
import * as store from './invitation-store.ts';
import { showStored } from './list-invitations.ts';

/** Can be repeated, and changes nothing of one that has ended. */
export async function revokeInvitation(
  { database, clock, trail }: IdentityParts,
  context: CallContext,
  { invitation: id }: InputOf<(typeof invitationOperations)['revokeInvitation']>,
): Promise<Invitation> {
  const { workspace } = context;
  const now = clock.now();
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const invitation = await store.lockInvitation(transaction, id, now);
    if (!invitation) throw notFound();
    await requireAsHigh(transaction, context, invitation.role);
    if (invitation.state !== 'open') return showStored(invitation);
    await store.markRevoked(transaction, id, now);
    await trail.leave(transaction, context, {
      action: 'revokeInvitation',
      subject: `invitation/${id}`,
      details: { role: invitation.role },
      event: 'identity.invitation-revoked',
      data: { invitation: id },
    });
    return { ...showStored(invitation), state: 'revoked', revoked_at: new Date(now).toISOString() };
  });
}
