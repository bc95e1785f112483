import type { identityOperations } from '@damask/contracts/identity.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from './identity-parts.ts';
import { findKey } from './key-store.ts';

type ReadKey = typeof identityOperations.readKey;

export async function readKey(
  { database }: IdentityParts,
  context: CallContext,
  input: InputOf<ReadKey>,
): Promise<OutputOf<ReadKey>> {
  const scope = { role: 'identity', workspace: context.workspace };
  const key = await database.transaction(scope, (transaction) => findKey(transaction, input.key));
  if (!key) throw notFound();
  return key;
}
