import type { memberOperations as memberContract } from '@damask/contracts/member.ts';
import type { roleOperations as roleContract } from '@damask/contracts/role-operations.ts';
import type { serviceAccountOperations as accountContract } from '@damask/contracts/service-account.ts';
import type { teamOperations as teamContract } from '@damask/contracts/team.ts';
import type { Implementation } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { deleteRole } from '../role/delete-role.ts';
import { listRoles } from '../role/list-roles.ts';
import { putRole } from '../role/put-role.ts';
import { deleteServiceAccount } from '../service-account/delete-service-account.ts';
import { listServiceAccounts } from '../service-account/list-service-accounts.ts';
import { putServiceAccount } from '../service-account/put-service-account.ts';
import { addTeamMember, removeTeamMember } from '../team/change-team-members.ts';
import { listTeamMembers, listTeams } from '../team/list-teams.ts';
import { deleteTeam, putTeam } from '../team/put-team.ts';
import { changeMember, removeMember } from './change-member.ts';
import { listMembers, readMember } from './list-members.ts';

type Contract = typeof memberContract & typeof roleContract & typeof accountContract & typeof teamContract;

/** Who belongs to a workspace, in which role and team. What changes holds at the edge within a second. */
export function createMemberOperations(parts: IdentityParts): Implementation<Contract> {
  return {
    /** Roles of the platform and of the workspace. Errors: `invalid_cursor`. */
    listRoles: (context, input) => listRoles(parts, context, input),
    /** Errors: `forbidden` for what the caller does not hold, `policy_refused` at the limit of roles. */
    putRole: (context, input) => putRole(parts, context, input),
    /** Errors: `not_found`, `policy_refused` while somebody has it. */
    deleteRole: (context, input) => deleteRole(parts, context, input),
    /** Newest account first. Errors: `invalid_cursor`. */
    listMembers: (context, input) => listMembers(parts, context, input),
    /** Errors: `not_found`. */
    readMember: (context, input) => readMember(parts, context, input),
    /** Errors: `forbidden` for the own role and those above, `not_found`, `policy_refused` for the last owner. */
    changeMember: (context, input) => changeMember(parts, context, input),
    /** Errors: `forbidden` for a role above the caller's, `not_found`, `policy_refused` for the last owner. */
    removeMember: (context, input) => removeMember(parts, context, input),
    /** By name. Errors: `invalid_cursor`. */
    listServiceAccounts: (context, input) => listServiceAccounts(parts, context, input),
    /** Errors: `forbidden` for a role above the caller's, `not_found` for an unknown role, `policy_refused`. */
    putServiceAccount: (context, input) => putServiceAccount(parts, context, input),
    /** Errors: `forbidden` for a role above the caller's, `not_found`. */
    deleteServiceAccount: (context, input) => deleteServiceAccount(parts, context, input),
    /** By name. Errors: `invalid_cursor`. */
    listTeams: (context, input) => listTeams(parts, context, input),
    /** Errors: `policy_refused` at the limit of teams. */
    putTeam: (context, input) => putTeam(parts, context, input),
    /** Errors: `not_found`. */
    deleteTeam: (context, input) => deleteTeam(parts, context, input),
    /** Errors: `not_found`, `invalid_cursor`. */
    listTeamMembers: (context, input) => listTeamMembers(parts, context, input),
    /** Can be repeated. Errors: `not_found`, `policy_refused` for a member of many teams. */
    addTeamMember: (context, input) => addTeamMember(parts, context, input),
    /** Errors: `not_found`, also for one who is not in the team. */
    removeTeamMember: (context, input) => removeTeamMember(parts, context, input),
  };
}
