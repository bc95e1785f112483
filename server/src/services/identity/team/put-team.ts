import type { InputOf } from '@damask/contracts/operation.ts';
import type { Team, teamOperations } from '@damask/contracts/team.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import * as store from './team-store.ts';

type Contract = typeof teamOperations;

export const mostTeams = 1_000;

export async function putTeam(
  { database, clock, trail }: IdentityParts,
  context: CallContext,
  { team: name, description = '' }: InputOf<Contract['putTeam']>,
): Promise<Team> {
  const { workspace } = context;
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const before = await store.lockTeam(transaction, name);
    if (before?.description === description) return before;
    if (!before && (await store.countTeams(transaction, mostTeams)) >= mostTeams) throw tooMany();
    await store.putTeam(transaction, { workspace, name, description, now: clock.now() });
    await trail.leave(transaction, context, {
      action: 'putTeam',
      subject: `team/${name}`,
      event: 'identity.team-put',
      data: { team: name },
    });
    return (await store.findTeam(transaction, name)) as Team;
  });
}

export async function deleteTeam(
  { database, trail }: IdentityParts,
  context: CallContext,
  { team: name }: InputOf<Contract['deleteTeam']>,
): Promise<Team> {
  const { workspace } = context;
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const team = await store.lockTeam(transaction, name);
    if (!team) throw notFound();
    await store.deleteTeam(transaction, name);
    await trail.leave(transaction, context, {
      action: 'deleteTeam',
      subject: `team/${name}`,
      details: { members: team.members },
      event: 'identity.team-deleted',
      data: { team: name },
    });
    await bumpTopic(transaction, membersTopic);
    return team;
  });
}

export function tooMany(): AppError {
  return new AppError('policy_refused', `A workspace has ${mostTeams} teams at most. Delete one first.`, {
    pointer: '/team',
  });
}
