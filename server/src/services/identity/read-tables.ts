import type { identityOperations } from '@damask/contracts/identity.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { IdentityParts } from './identity-parts.ts';
import * as store from './table-store.ts';

type Contract = typeof identityOperations;
type Input = InputOf<Contract['readKeyTable']>;

/** A page of all live keys by id. */
export function readKeyTable(parts: IdentityParts, input: Input): Promise<OutputOf<Contract['readKeyTable']>> {
  const now = parts.clock.now();
  const read = (transaction: Transaction, page: store.TablePage) => store.readKeyRows(transaction, { ...page, now });
  return readPage(parts, input, read, ({ id }) => id);
}

/** A page of all members. */
export function readMemberTable(parts: IdentityParts, input: Input): Promise<OutputOf<Contract['readMemberTable']>> {
  return readPage(parts, input, store.readMemberRows, ({ workspace, account }) => `${workspace}/${account}`);
}

/** A page of all roles that workspaces made. */
export function readRoleTable(parts: IdentityParts, input: Input): Promise<OutputOf<Contract['readRoleTable']>> {
  return readPage(parts, input, store.readRoleRows, ({ workspace, name }) => `${workspace}/${name}`);
}

/** A page of all service accounts. */
export function readServiceAccountTable(
  parts: IdentityParts,
  input: Input,
): Promise<OutputOf<Contract['readServiceAccountTable']>> {
  return readPage(parts, input, store.readServiceAccountRows, ({ workspace, id }) => `${workspace}/${id}`);
}

async function readPage<Row>(
  { database }: IdentityParts,
  { after = undefined, limit = 1_000 }: Input,
  read: (transaction: Transaction, page: store.TablePage) => Promise<Row[]>,
  placeOf: (row: Row) => string,
): Promise<{ items: Row[]; next?: string }> {
  const rows = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    read(transaction, { after: after ?? null, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: placeOf(last) } : { items };
}
