import type { identityOperations } from '@damask/contracts/identity.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import type { IdentityParts } from './identity-parts.ts';
import { markUsed } from './key-store.ts';

/** To the minute, and after the fact: no audit row, since nobody did anything to the key. */
export async function noteKeyUses(
  { database }: IdentityParts,
  { at, uses }: InputOf<typeof identityOperations.noteKeyUses>,
): Promise<Record<string, never>> {
  for (const [workspace, some] of Map.groupBy(uses, (use) => use.workspace)) {
    const keys = some.map(({ key }) => key);
    await database.transaction({ role: 'identity', workspace }, (transaction) => markUsed(transaction, keys, at));
  }
  return {};
}
