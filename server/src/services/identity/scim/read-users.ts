import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { ScimUser, scimOperations } from '@damask/contracts/scim.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { describeUser } from './describe-user.ts';
import { parseFilter } from './parse-filter.ts';
import { listResponse, mostUsers, readPage } from './read-page.ts';
import { findUser, listUsers } from './scim-user-store.ts';
import { showOnly } from './shown-attributes.ts';

type Contract = typeof scimOperations;

export async function listScimUsers(
  { database, publicUrl }: IdentityParts,
  { workspace }: CallContext,
  input: InputOf<Contract['listScimUsers']>,
): Promise<OutputOf<Contract['listScimUsers']>> {
  const conditions = input.filter === undefined ? [] : parseFilter(input.filter);
  const { first, offset, limit } = readPage(input);
  const { rows, total } = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    listUsers(transaction, { conditions, offset, limit, most: mostUsers }),
  );
  return listResponse(
    rows.map((row) => showOnly(describeUser(row, publicUrl), input)),
    total,
    first,
  );
}

export async function readScimUser(
  { database, publicUrl }: IdentityParts,
  { workspace }: CallContext,
  { user, ...shown }: InputOf<Contract['readScimUser']>,
): Promise<ScimUser> {
  const row = await database.transaction({ role: 'identity', workspace }, (transaction) => findUser(transaction, user));
  if (!row) throw notFound();
  return showOnly(describeUser(row, publicUrl), shown);
}

/** A person as it is now in a transaction that has just written it. */
export async function scimUserForm(
  transaction: Transaction,
  user: string,
  publicUrl: string | null,
): Promise<ScimUser> {
  const row = await findUser(transaction, user);
  if (!row) throw notFound();
  return describeUser(row, publicUrl);
}
