import { allItems } from './all-items.ts';
import type * as api from './generated.ts';
import type { CallOptions } from './open-operation.ts';

type Call = <Name extends api.OperationName>(
  name: Name,
  input: api.OperationTypes[Name]['input'],
  options?: CallOptions,
) => Promise<api.OperationTypes[Name]['output']>;

/** Who acts in a workspace: keys, members, invitations, roles, service accounts and teams. */
export function identityCalls(call: Call) {
  return {
    keys: {
      /** One page of API keys, newest first, without their secrets. */
      list: (input: api.ListKeysInput = {}, options?: CallOptions) => call('listKeys', input, options),
      /** All API keys, newest first. */
      listAll: (input: Omit<api.ListKeysInput, 'cursor'> = {}, options?: CallOptions) =>
        allItems((cursor) => call('listKeys', { limit: 200, ...input, cursor }, options)),
      /** Makes a key with a role that the caller also holds. `key` is shown this once. */
      create: (input: api.CreateKeyInput, options?: CallOptions) => call('createKey', input, options),
      /** One API key, without its secret. */
      read: (input: api.ReadKeyInput, options?: CallOptions) => call('readKey', input, options),
      /** Revokes a key at once. */
      revoke: (input: api.RevokeKeyInput, options?: CallOptions) => call('revokeKey', input, options),
    },
    members: {
      /** One page of members, newest account first. */
      list: (input: api.ListMembersInput = {}, options?: CallOptions) => call('listMembers', input, options),
      /** All members. */
      listAll: (input: Omit<api.ListMembersInput, 'cursor'> = {}, options?: CallOptions) =>
        allItems((cursor) => call('listMembers', { limit: 200, ...input, cursor }, options)),
      /** One member. */
      read: (input: api.ReadMemberInput, options?: CallOptions) => call('readMember', input, options),
      /** Gives a member another role; nobody changes their own. Throws `policy_refused` for the last owner. */
      change: (input: api.ChangeMemberInput, options?: CallOptions) => call('changeMember', input, options),
      /** Ends a membership with its keys and teams. Throws `policy_refused` for the last owner. */
      remove: (input: api.RemoveMemberInput, options?: CallOptions) => call('removeMember', input, options),
    },
    invitations: {
      /** One page of invitations, newest first, without their links. */
      list: (input: api.ListInvitationsInput = {}, options?: CallOptions) => call('listInvitations', input, options),
      /** All invitations, newest first. */
      listAll: (input: Omit<api.ListInvitationsInput, 'cursor'> = {}, options?: CallOptions) =>
        allItems((cursor) => call('listInvitations', { limit: 200, ...input, cursor }, options)),
      /** Invites somebody with a role that the caller also holds. `url` is shown this once. */
      create: (input: api.CreateInvitationInput, options?: CallOptions) => call('createInvitation', input, options),
      /** One invitation, without its link. */
      read: (input: api.ReadInvitationInput, options?: CallOptions) => call('readInvitation', input, options),
      /** Revokes an invitation at once. */
      revoke: (input: api.RevokeInvitationInput, options?: CallOptions) => call('revokeInvitation', input, options),
    },
    roles: {
      /** One page of roles: those of the platform, then those of the workspace. */
      list: (input: api.ListRolesInput = {}, options?: CallOptions) => call('listRoles', input, options),
      /** All roles. */
      listAll: (input: Omit<api.ListRolesInput, 'cursor'> = {}, options?: CallOptions) =>
        allItems((cursor) => call('listRoles', { limit: 200, ...input, cursor }, options)),
      /** Creates or replaces a role of the workspace, which holds no more than the caller does. */
      put: (input: api.PutRoleInput, options?: CallOptions) => call('putRole', input, options),
      /** Deletes a role of the workspace. Throws `policy_refused` while somebody has it. */
      delete: (input: api.DeleteRoleInput, options?: CallOptions) => call('deleteRole', input, options),
    },
    serviceAccounts: {
      /** One page of service accounts by name. */
      list: (input: api.ListServiceAccountsInput = {}, options?: CallOptions) =>
        call('listServiceAccounts', input, options),
      /** All service accounts by name. */
      listAll: (input: Omit<api.ListServiceAccountsInput, 'cursor'> = {}, options?: CallOptions) =>
        allItems((cursor) => call('listServiceAccounts', { limit: 200, ...input, cursor }, options)),
      /** Creates a service account, or gives it another role. */
      put: (input: api.PutServiceAccountInput, options?: CallOptions) => call('putServiceAccount', input, options),
      /** Deletes a service account and revokes its keys. */
      delete: (input: api.DeleteServiceAccountInput, options?: CallOptions) =>
        call('deleteServiceAccount', input, options),
    },
    identityProviders: {
      /** One page of identity providers by name, without their secrets. */
      list: (input: api.ListIdentityProvidersInput = {}, options?: CallOptions) =>
        call('listIdentityProviders', input, options),
      /** All identity providers by name. */
      listAll: (input: Omit<api.ListIdentityProvidersInput, 'cursor'> = {}, options?: CallOptions) =>
        allItems((cursor) => call('listIdentityProviders', { limit: 200, ...input, cursor }, options)),
      /** One identity provider, without its secret. */
      read: (input: api.ReadIdentityProviderInput, options?: CallOptions) =>
        call('readIdentityProvider', input, options),
      /** Adds an identity provider, or changes what the input names of it. */
      put: (input: api.PutIdentityProviderInput, options?: CallOptions) => call('putIdentityProvider', input, options),
      /** Removes an identity provider: nobody signs in by it any more. */
      delete: (input: api.DeleteIdentityProviderInput, options?: CallOptions) =>
        call('deleteIdentityProvider', input, options),
    },
    teams: {
      /** One page of teams by name. */
      list: (input: api.ListTeamsInput = {}, options?: CallOptions) => call('listTeams', input, options),
      /** All teams by name. */
      listAll: (input: Omit<api.ListTeamsInput, 'cursor'> = {}, options?: CallOptions) =>
        allItems((cursor) => call('listTeams', { limit: 200, ...input, cursor }, options)),
      /** Creates a team, or describes it anew. */
      put: (input: api.PutTeamInput, options?: CallOptions) => call('putTeam', input, options),
      /** Deletes a team; its patterns stay with its name. */
      delete: (input: api.DeleteTeamInput, options?: CallOptions) => call('deleteTeam', input, options),
      /** All members of a team. */
      listAllMembers: (input: Omit<api.ListTeamMembersInput, 'cursor'>, options?: CallOptions) =>
        allItems((cursor) => call('listTeamMembers', { limit: 200, ...input, cursor }, options)),
      /** Takes a member of the workspace into a team. */
      addMember: (input: api.AddTeamMemberInput, options?: CallOptions) => call('addTeamMember', input, options),
      /** Takes a member out of a team. */
      removeMember: (input: api.RemoveTeamMemberInput, options?: CallOptions) =>
        call('removeTeamMember', input, options),
    },
  };
}
