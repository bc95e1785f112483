import type { Commands } from './command.ts';

/** Keys, members, invitations, roles, service accounts and teams. */
export const identityCommands: Commands = {
  keys: {
    summary: 'List API keys',
    load: async () => (await import('./commands/keys.ts')).keys,
  },
  'keys list': {
    summary: 'List API keys',
    load: async () => (await import('./commands/keys.ts')).keysList,
  },
  'keys create': {
    summary: 'Make an API key',
    load: async () => (await import('./commands/keys-create.ts')).keysCreate,
  },
  'keys revoke': {
    summary: 'Revoke an API key',
    load: async () => (await import('./commands/keys-revoke.ts')).keysRevoke,
  },
  members: {
    summary: 'List the people of the workspace',
    load: async () => (await import('./commands/members.ts')).members,
  },
  'members invite': {
    summary: 'Make a link that makes somebody a member',
    load: async () => (await import('./commands/members-invite.ts')).membersInvite,
  },
  'members set': {
    summary: 'Give a member another role',
    load: async () => (await import('./commands/members-set.ts')).membersSet,
  },
  'members remove': {
    summary: 'End a membership',
    load: async () => (await import('./commands/members-remove.ts')).membersRemove,
  },
  invitations: {
    summary: 'List open invitations',
    load: async () => (await import('./commands/invitations.ts')).invitations,
  },
  'invitations revoke': {
    summary: 'Revoke an invitation',
    load: async () => (await import('./commands/invitations-revoke.ts')).invitationsRevoke,
  },
  roles: {
    summary: 'List roles and what they hold',
    load: async () => (await import('./commands/roles.ts')).roles,
  },
  'roles set': {
    summary: 'Make or change a role of the workspace',
    load: async () => (await import('./commands/roles-set.ts')).rolesSet,
  },
  'roles remove': {
    summary: 'Delete a role of the workspace',
    load: async () => (await import('./commands/roles-remove.ts')).rolesRemove,
  },
  'identity-providers': {
    summary: 'List identity providers',
    load: async () => (await import('./commands/identity-providers.ts')).identityProviders,
  },
  'identity-providers set': {
    summary: 'Add or change an identity provider (OpenID Connect)',
    load: async () => (await import('./commands/identity-providers-set.ts')).identityProvidersSet,
  },
  'identity-providers remove': {
    summary: 'Remove an identity provider',
    load: async () => (await import('./commands/identity-providers-remove.ts')).identityProvidersRemove,
  },
  'service-accounts': {
    summary: 'List service accounts',
    load: async () => (await import('./commands/service-accounts.ts')).serviceAccounts,
  },
  'service-accounts set': {
    summary: 'Make a service account or change its role',
    load: async () => (await import('./commands/service-accounts-set.ts')).serviceAccountsSet,
  },
  'service-accounts remove': {
    summary: 'Delete a service account and its keys',
    load: async () => (await import('./commands/service-accounts-remove.ts')).serviceAccountsRemove,
  },
  teams: {
    summary: 'List teams, or the members of one',
    load: async () => (await import('./commands/teams.ts')).teams,
  },
  'teams set': {
    summary: 'Make or describe a team',
    load: async () => (await import('./commands/teams-set.ts')).teamsSet,
  },
  'teams remove': {
    summary: 'Delete a team',
    load: async () => (await import('./commands/teams-remove.ts')).teamsRemove,
  },
  'teams add': {
    summary: 'Take a member into a team',
    load: async () => (await import('./commands/teams-add.ts')).teamsAdd,
  },
  'teams drop': {
    summary: 'Take a member out of a team',
    load: async () => (await import('./commands/teams-drop.ts')).teamsDrop,
  },
  'teams give': {
    summary: 'Let a team own a pattern',
    load: async () => (await import('./commands/teams-give.ts')).teamsGive,
  },
};
