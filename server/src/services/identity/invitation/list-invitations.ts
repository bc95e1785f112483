import type { Invitation, invitationOperations } from '@damask/contracts/invitation.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import * as store from './invitation-store.ts';

type Contract = typeof invitationOperations;

export async function listInvitations(
  { database, cursors, clock }: IdentityParts,
  { workspace }: CallContext,
  { limit = 50, cursor, state }: InputOf<Contract['listInvitations']>,
): Promise<OutputOf<Contract['listInvitations']>> {
  const list = { list: 'listInvitations', workspace };
  const [before = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    store.listInvitations(transaction, { before, state: state ?? null, limit: limit + 1, now: clock.now() }),
  );
  const items = rows.slice(0, limit).map(showStored);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(list, [last.id]) } : { items };
}

export async function readInvitation(
  { database, clock }: IdentityParts,
  { workspace }: CallContext,
  { invitation: id }: InputOf<Contract['readInvitation']>,
): Promise<Invitation> {
  const found = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    store.findInvitation(transaction, id, clock.now()),
  );
  if (!found) throw notFound();
  return showStored(found);
}

export function showStored({ inviter: _, ...invitation }: store.StoredInvitation): Invitation {
  return invitation;
}
