import type { loginOperations, Passkey } from '@damask/contracts/login.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { accountOf } from './account-of.ts';
import { workspacesOf } from './create-login-session.ts';
import { leaveEverywhere } from './leave-everywhere.ts';
import * as store from './passkey-store.ts';

export async function deletePasskey(
  parts: IdentityParts,
  context: CallContext,
  { passkey: id }: InputOf<typeof loginOperations.deletePasskey>,
): Promise<Passkey> {
  const { account } = accountOf(context);
  const workspaces = await workspacesOf(parts, account);
  return parts.database.transaction({ role: 'identity', workspace: null }, async (transaction) => {
    const passkey = await store.deletePasskey(transaction, { id, account });
    if (!passkey) throw notFound();
    await leaveEverywhere(parts, transaction, context, workspaces, {
      action: 'deletePasskey',
      subject: `passkey/${id}`,
      details: { name: passkey.name },
      event: 'identity.passkey-deleted',
      data: { account, passkey: id },
    });
    return passkey;
  });
}
