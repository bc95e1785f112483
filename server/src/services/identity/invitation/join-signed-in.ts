import type { invitationOperations } from '@damask/contracts/invitation.ts';
import type { NewLogin } from '@damask/contracts/login.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { accountOf } from '../login/account-of.ts';
import { createLoginSession } from '../login/create-login-session.ts';
import { endLoginSessions } from '../login/end-login-sessions.ts';
import { enterWorkspace, findAccount, findSession } from '../login/login-store.ts';
import { findProviderOf } from '../login/session-provider-store.ts';
import { findMember } from '../oidc/person-store.ts';
import { findBySecret, holdInvitation, invitationRefused } from './hold-invitation.ts';
import { joinWorkspace } from './join-workspace.ts';
import { knowsIssuers, listIssuersOf } from './way-in-store.ts';

/**
 * A membership for whoever is signed in. Their browser goes on with another session, since from now on more is open to
 * it; who was a member before and comes back keeps no other session. Errors: `sign_in_refused`, `sso_required`,
 * `policy_refused`, `not_found` when the session has ended.
 */
export async function joinSignedIn(
  parts: IdentityParts,
  context: CallContext,
  { secret, visit }: InputOf<(typeof invitationOperations)['joinSignedIn']>,
): Promise<NewLogin> {
  const { database, clock } = parts;
  const { account, session: id } = accountOf(context);
  const found = await findBySecret(parts, secret);
  const { workspace } = found;
  const now = clock.now();
  const { session, person, provider } = await database.transaction(
    { role: 'identity', workspace: null },
    async (transaction) => ({
      session: await findSession(transaction, { id, account, now }),
      person: await findAccount(transaction, account),
      provider: await findProviderOf(transaction, id),
    }),
  );
  if (!session || !person) throw notFound();
  return createLoginSession(parts, context, {
    account,
    kind: 'browser',
    way: session.way,
    ...(provider === null ? {} : { provider }),
    visit,
    joins: workspace,
    async before(transaction) {
      const issuers = await listIssuersOf(transaction, account);
      await enterWorkspace(transaction, workspace);
      const member = await findMember(transaction, account);
      const invitation = await holdInvitation(transaction, found.id, now);
      if (!invitation) throw invitationRefused();
      if (!(await knowsIssuers(transaction, issuers))) throw foreignAccount();
      const joining = { workspace, account, name: person.name, emails: [person.email], provider };
      await joinWorkspace(parts, transaction, context, { invitation, joining });
      if (member) await endLoginSessions(transaction, { account, workspace, now });
      await enterWorkspace(transaction, null);
    },
  });
}

// Whoever runs that provider can sign in as any of its people: an owner elsewhere must not become a member here so.
function foreignAccount(): AppError {
  return new AppError(
    'policy_refused',
    'Your account goes by the word of an identity provider that this workspace does not have. Sign out, then join as somebody new.',
  );
}
