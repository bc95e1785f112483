import type { loginOperations } from '@damask/contracts/login.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { loginSessionsTopic } from './login-parts.ts';
import { noteSeen, readSessionRows } from './login-store.ts';

type ReadTable = typeof loginOperations.readLoginSessionTable;

export async function readLoginSessionTable(
  { database, clock }: IdentityParts,
  _context: CallContext,
  { after, limit = 1_000 }: InputOf<ReadTable>,
): Promise<OutputOf<ReadTable>> {
  const rows = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    readSessionRows(transaction, { after: after ?? null, limit: limit + 1, now: clock.now() }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: last.id } : { items };
}

/** The other edges hear of it too: a session that is used here must not idle out there. */
export async function noteLoginSessions(
  { database }: IdentityParts,
  _context: CallContext,
  { seen }: InputOf<typeof loginOperations.noteLoginSessions>,
): Promise<Record<string, never>> {
  if (seen.length === 0) return {};
  await database.transaction({ role: 'identity', workspace: null }, async (transaction) => {
    await noteSeen(transaction, seen);
    await bumpTopic(transaction, loginSessionsTopic);
  });
  return {};
}
