import type { invitationOperations } from '@damask/contracts/invitation.ts';
import type { NewLogin } from '@damask/contracts/login.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import { checkName } from '../check-name.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { createLoginSession } from '../login/create-login-session.ts';
import { enterWorkspace, insertAccount } from '../login/login-store.ts';
import { findBySecret, holdInvitation, invitationRefused } from './hold-invitation.ts';
import { joinWorkspace } from './join-workspace.ts';

/**
 * An account, its membership and its login session, or none of them. Nobody has proved that the address is theirs, so it
 * is kept as not verified. Errors: `sign_in_refused`, `sso_required`, `policy_refused`, `invalid_request`.
 */
export async function joinAsNew(
  parts: IdentityParts,
  context: CallContext,
  { secret, name: given, visit }: InputOf<(typeof invitationOperations)['joinAsNew']>,
): Promise<NewLogin> {
  const { clock } = parts;
  checkName(given);
  const name = given.trim();
  const { workspace, id } = await findBySecret(parts, secret);
  const account = clock.uuid();
  return createLoginSession(parts, context, {
    account,
    kind: 'browser',
    way: 'invitation',
    visit,
    joins: workspace,
    async before(transaction) {
      const now = clock.now();
      await enterWorkspace(transaction, workspace);
      const invitation = await holdInvitation(transaction, id, now);
      if (!invitation) throw invitationRefused();
      const { email } = invitation;
      await enterWorkspace(transaction, null);
      await insertAccount(transaction, { id: account, name, email, emailVerified: false, now });
      await enterWorkspace(transaction, workspace);
      const joining = { workspace, account, name, emails: [], provider: null };
      await joinWorkspace(parts, transaction, context, { invitation, joining });
      await enterWorkspace(transaction, null);
    },
  });
}
