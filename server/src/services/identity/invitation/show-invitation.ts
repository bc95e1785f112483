import type { invitationOperations } from '@damask/contracts/invitation.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { findWorkspace } from '../store.ts';
import { findBySecret, holdInvitation, invitationRefused } from './hold-invitation.ts';
import { listOnlyBy, listProviderNames } from './way-in-store.ts';

type ShowInvitation = typeof invitationOperations.showInvitation;

/** Nothing is used up. Errors: `sign_in_refused`. */
export async function showInvitation(
  parts: IdentityParts,
  _context: CallContext,
  { secret }: InputOf<ShowInvitation>,
): Promise<OutputOf<ShowInvitation>> {
  const { database, clock, publicUrl } = parts;
  const { workspace, id } = await findBySecret(parts, secret);
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const invitation = await holdInvitation(transaction, id, clock.now());
    const place = await findWorkspace(transaction);
    if (!invitation || !place) throw invitationRefused();
    const { role, email, name, expires_at, invitedBy: invited_by } = invitation;
    const only = email === null ? [] : await listOnlyBy(transaction, email);
    // Without a public address nobody can be led to a provider and back.
    const known = publicUrl === null ? [] : await listProviderNames(transaction);
    const providers = known
      .filter((one) => only.length === 0 || only.some(({ id: other }) => other === one.id))
      .map((one) => ({ login: one.id, name: one.name }));
    const provider_only = only.length > 0;
    return { workspace: place.name, role, email, name, invited_by, expires_at, provider_only, providers };
  });
}
