import type { loginOperations, Membership } from '@damask/contracts/login.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { accountOf } from './account-of.ts';
import { workspacesOf } from './create-login-session.ts';
import * as store from './login-store.ts';

type ReadAccount = typeof loginOperations.readAccount;

export async function readAccount(
  parts: IdentityParts,
  context: CallContext,
  input: InputOf<ReadAccount>,
): Promise<OutputOf<ReadAccount>> {
  const { database, clock } = parts;
  const { account: id } = accountOf(context);
  const ids = await workspacesOf(parts, id);
  return database.transaction({ role: 'identity', workspace: null }, async (transaction) => {
    const account = await store.findAccount(transaction, id);
    const session = await store.findSession(transaction, { id: input.login_session, account: id, now: clock.now() });
    if (!account || !session) throw notFound();
    const workspaces: Membership[] = [];
    for (const workspace of ids) {
      await store.enterWorkspace(transaction, workspace);
      const membership = await store.findMembership(transaction, id);
      if (membership) workspaces.push(membership);
    }
    return { account: { id, name: account.name, email: account.email }, session, workspaces };
  });
}
