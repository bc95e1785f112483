import type { LoginSession, loginOperations } from '@damask/contracts/login.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { accountOf } from './account-of.ts';
import { workspacesOf } from './create-login-session.ts';
import { leaveEverywhere } from './leave-everywhere.ts';
import { loginSessionsTopic } from './login-parts.ts';
import { findSession, revokeSessions } from './login-store.ts';

type RevokeLoginSession = typeof loginOperations.revokeLoginSession;

export async function revokeLoginSession(
  parts: IdentityParts,
  context: CallContext,
  { login_session: id }: InputOf<RevokeLoginSession>,
): Promise<LoginSession> {
  const session = await endSession(parts, context, { account: accountOf(context).account, id });
  if (!session) throw notFound();
  return session;
}

/** For the one that a request came with. Nothing happens when it has ended already. */
export async function endLoginSession(
  parts: IdentityParts,
  context: CallContext,
  { login_session: id }: InputOf<typeof loginOperations.endLoginSession>,
): Promise<Record<string, never>> {
  await endSession(parts, context, { account: accountOf(context).account, id });
  return {};
}

async function endSession(
  parts: IdentityParts,
  context: CallContext,
  { account, id }: { account: string; id: string },
): Promise<LoginSession | undefined> {
  const now = parts.clock.now();
  const workspaces = await workspacesOf(parts, account);
  return parts.database.transaction({ role: 'identity', workspace: null }, async (transaction) => {
    const session = await findSession(transaction, { id, account, now });
    if (!session || (await revokeSessions(transaction, { account, ids: [id], now })) === 0) return session;
    await bumpTopic(transaction, loginSessionsTopic);
    await leaveEverywhere(parts, transaction, context, workspaces, {
      action: 'endLoginSession',
      subject: `login-session/${id}`,
      event: 'identity.login-session-ended',
      data: { account, login_session: id },
    });
    return session;
  });
}
