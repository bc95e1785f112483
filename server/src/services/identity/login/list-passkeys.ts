import type { loginOperations } from '@damask/contracts/login.ts';
import type { OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { accountOf } from './account-of.ts';
import * as store from './passkey-store.ts';

export async function listPasskeys(
  { database }: IdentityParts,
  context: CallContext,
): Promise<OutputOf<typeof loginOperations.listPasskeys>> {
  const { account } = accountOf(context);
  const items = await database.transaction({ role: 'identity', workspace: null }, (transaction) =>
    store.listPasskeys(transaction, account),
  );
  return { items };
}
