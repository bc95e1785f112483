import type { loginOperations, NewLogin } from '@damask/contracts/login.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { createLoginSession, signInRefused, workspacesOf } from './create-login-session.ts';
import { findLink, useLink } from './login-store.ts';
import { hashSecret } from './mint-secret.ts';

const shape = /^dml_[A-Za-z0-9_-]{43}$/;

/** Errors: `sign_in_refused`, and the link stays as it was. */
export async function redeemLoginLink(
  parts: IdentityParts,
  context: CallContext,
  { link, visit }: InputOf<typeof loginOperations.redeemLoginLink>,
): Promise<NewLogin> {
  const { database, clock } = parts;
  if (!shape.test(link)) throw signInRefused();
  const hash = hashSecret(link);
  const found = await database.transaction({ role: 'identity', workspace: null }, (transaction) =>
    findLink(transaction, hash, clock.now()),
  );
  if (found === undefined) throw signInRefused();
  const { account, madeIn } = found;
  const workspaces = await workspacesOf(parts, account);
  // It may have become a member elsewhere meanwhile.
  if (workspaces.some((one) => one !== madeIn)) throw signInRefused();
  return createLoginSession(parts, context, {
    account,
    kind: 'browser',
    way: 'link',
    visit,
    async before(transaction) {
      if (!(await useLink(transaction, hash, clock.now()))) throw signInRefused();
    },
  });
}
