import type { loginOperations } from '@damask/contracts/login.ts';
import type { OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { accountOf } from './account-of.ts';
import { listSessions } from './login-store.ts';

export async function listLoginSessions(
  { database, clock }: IdentityParts,
  context: CallContext,
): Promise<OutputOf<typeof loginOperations.listLoginSessions>> {
  const { account, session } = accountOf(context);
  const items = await database.transaction({ role: 'identity', workspace: null }, (transaction) =>
    listSessions(transaction, account, clock.now()),
  );
  return { items: items.map((item) => ({ ...item, current: item.id === session })) };
}
