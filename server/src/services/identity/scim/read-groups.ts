import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { ScimGroup, scimOperations } from '@damask/contracts/scim.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { describeGroup } from './describe-group.ts';
import { parseFilter } from './parse-filter.ts';
import { listResponse, mostUsers, readPage } from './read-page.ts';
import { mostMembers } from './save-group.ts';
import * as store from './scim-group-store.ts';
import { showOnly } from './shown-attributes.ts';

type Contract = typeof scimOperations;

/** Members of all groups of a page would be too many for one answer: they are shown where there is one group. */
export async function listScimGroups(
  { database, publicUrl }: IdentityParts,
  { workspace }: CallContext,
  input: InputOf<Contract['listScimGroups']>,
): Promise<OutputOf<Contract['listScimGroups']>> {
  const conditions = input.filter === undefined ? [] : parseFilter(input.filter);
  const { first, offset, limit } = readPage(input);
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const { rows, total } = await store.listGroups(transaction, { conditions, offset, limit, most: mostUsers });
    const [only] = rows;
    const members = rows.length === 1 && only ? await store.listGroupMembers(transaction, only.id, mostMembers) : null;
    return listResponse(
      rows.map((row) => showOnly(describeGroup(row, members, publicUrl), input)),
      total,
      first,
    );
  });
}

export async function readScimGroup(
  { database, publicUrl }: IdentityParts,
  { workspace }: CallContext,
  { group, ...shown }: InputOf<Contract['readScimGroup']>,
): Promise<ScimGroup> {
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const row = await store.findGroup(transaction, group);
    if (!row) throw notFound();
    const members = await store.listGroupMembers(transaction, group, mostMembers);
    return showOnly(describeGroup(row, members, publicUrl), shown);
  });
}
