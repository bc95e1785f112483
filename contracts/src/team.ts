import { type Static, Type } from 'typebox';
import { Id, Name, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';

export const Team = Type.Object({
  name: Name,
  description: Type.String(),
  members: Type.Integer({ description: 'How many there are.' }),
  created_at: Time,
  updated_at: Time,
});
export type Team = Static<typeof Team>;

export const TeamMember = Type.Object({ id: Id, name: Type.String() });
export type TeamMember = Static<typeof TeamMember>;

const byName = { team: Name };
const membership = { ...byName, member: Id };

export const teamOperations = {
  listTeams: operation({
    method: 'GET',
    path: '/v1/teams',
    permission: 'team:read',
    summary: 'Teams of the workspace by name',
    input: strict({ ...page }),
    output: pageOf(Team),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  putTeam: operation({
    method: 'PUT',
    path: '/v1/teams/{team}',
    permission: 'team:write',
    summary: 'Create a team or describe it anew; it can own patterns',
    input: strict({ ...byName, description: Type.Optional(Type.String({ maxLength: 500 })) }),
    output: Team,
    status: 200,
    errors: ['policy_refused'],
  }),
  deleteTeam: operation({
    method: 'DELETE',
    path: '/v1/teams/{team}',
    permission: 'team:write',
    summary: 'Delete a team; its patterns stay with its name, and only who holds team:write may change them',
    input: strict(byName),
    output: Team,
    status: 200,
    errors: ['not_found'],
  }),
  listTeamMembers: operation({
    method: 'GET',
    path: '/v1/teams/{team}/members',
    permission: 'team:read',
    summary: 'Members of a team',
    input: strict({ ...byName, ...page }),
    output: pageOf(TeamMember),
    status: 200,
    errors: ['not_found', 'invalid_cursor'],
  }),
  addTeamMember: operation({
    method: 'PUT',
    path: '/v1/teams/{team}/members/{member}',
    permission: 'team:write',
    summary: 'Take a member of the workspace into a team',
    input: strict(membership),
    output: Team,
    status: 200,
    errors: ['not_found', 'policy_refused'],
  }),
  removeTeamMember: operation({
    method: 'DELETE',
    path: '/v1/teams/{team}/members/{member}',
    permission: 'team:write',
    summary: 'Take a member out of a team',
    input: strict(membership),
    output: Team,
    status: 200,
    errors: ['not_found'],
  }),
} satisfies Operations;
