import type { identityOperations } from '@damask/contracts/identity.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from './identity-parts.ts';
import { readKeyRows } from './store.ts';

type ReadKeyTable = typeof identityOperations.readKeyTable;

export async function readKeyTable(
  { database, clock }: IdentityParts,
  _context: CallContext,
  { after, limit = 1_000 }: InputOf<ReadKeyTable>,
): Promise<OutputOf<ReadKeyTable>> {
  const rows = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    readKeyRows(transaction, { after: after ?? null, limit: limit + 1, now: clock.now() }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: last.id } : { items };
}
