import type { InputOf } from '@damask/contracts/operation.ts';
import type { Team, teamOperations } from '@damask/contracts/team.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import { lockMember } from '../member/member-store.ts';
import { requireWholeReach } from '../role/pass-on-role.ts';
import * as store from './team-store.ts';

type Contract = typeof teamOperations;

/** They travel with each call between processes, so they must not become many. */
const mostOfMember = 20;

export async function addTeamMember(
  { database, clock, trail }: IdentityParts,
  context: CallContext,
  { team: name, member: account }: InputOf<Contract['addTeamMember']>,
): Promise<Team> {
  const { workspace } = context;
  requireWholeReach(context);
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const team = await store.lockTeam(transaction, name);
    if (!team || !(await lockMember(transaction, account))) throw notFound();
    const { teams, isIn } = await store.readMemberships(transaction, name, account);
    if (isIn) return team;
    if (teams >= mostOfMember) throw tooMany();
    await store.addTeamMember(transaction, { workspace, team: name, account, now: clock.now() });
    await trail.leave(transaction, context, {
      action: 'addTeamMember',
      subject: `team/${name}`,
      details: { member: account },
      event: 'identity.team-member-added',
      data: { team: name, account },
    });
    await bumpTopic(transaction, membersTopic);
    return { ...team, members: team.members + 1 };
  });
}

export async function removeTeamMember(
  { database, trail }: IdentityParts,
  context: CallContext,
  { team: name, member: account }: InputOf<Contract['removeTeamMember']>,
): Promise<Team> {
  const { workspace } = context;
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const team = await store.lockTeam(transaction, name);
    if (!team || !(await store.removeTeamMember(transaction, name, account))) throw notFound();
    await trail.leave(transaction, context, {
      action: 'removeTeamMember',
      subject: `team/${name}`,
      details: { member: account },
      event: 'identity.team-member-removed',
      data: { team: name, account },
    });
    await bumpTopic(transaction, membersTopic);
    return { ...team, members: team.members - 1 };
  });
}

function tooMany(): AppError {
  return new AppError('policy_refused', `A member is in ${mostOfMember} teams at most. Take them out of one first.`, {
    pointer: '/member',
  });
}
