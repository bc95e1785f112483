import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { teamOperations } from '@damask/contracts/team.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import * as store from './team-store.ts';

type Contract = typeof teamOperations;

export async function listTeams(
  { database, cursors }: IdentityParts,
  { workspace }: CallContext,
  { limit = 50, cursor }: InputOf<Contract['listTeams']>,
): Promise<OutputOf<Contract['listTeams']>> {
  const list = { list: 'listTeams', workspace };
  const [after = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    store.listTeams(transaction, { after, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(list, [last.name]) } : { items };
}

export async function listTeamMembers(
  { database, cursors }: IdentityParts,
  { workspace }: CallContext,
  { team, limit = 50, cursor }: InputOf<Contract['listTeamMembers']>,
): Promise<OutputOf<Contract['listTeamMembers']>> {
  const list = { list: 'listTeamMembers', workspace, team };
  const [after = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await database.transaction({ role: 'identity', workspace }, async (transaction) => {
    if (!(await store.findTeam(transaction, team))) throw notFound();
    return store.listTeamMembers(transaction, { team, after, limit: limit + 1 });
  });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(list, [last.id]) } : { items };
}
