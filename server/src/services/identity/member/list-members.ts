import type { Member, memberOperations } from '@damask/contracts/member.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import * as store from './member-store.ts';

type Contract = typeof memberOperations;

export async function listMembers(
  { database, cursors }: IdentityParts,
  { workspace }: CallContext,
  { limit = 50, cursor }: InputOf<Contract['listMembers']>,
): Promise<OutputOf<Contract['listMembers']>> {
  const list = { list: 'listMembers', workspace };
  const [before = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    store.listMembers(transaction, { before, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(list, [last.id]) } : { items };
}

export async function readMember(
  { database }: IdentityParts,
  { workspace }: CallContext,
  input: InputOf<Contract['readMember']>,
): Promise<Member> {
  const member = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    store.findMember(transaction, input.member),
  );
  if (!member) throw notFound();
  return member;
}
