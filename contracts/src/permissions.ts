/** What a role can hold. An operation names exactly one; the server refuses to start otherwise. */
export const permissions = [
  'self:read',
  'workspace:read',
  'key:read',
  'key:write',
  'member:read',
  'member:write',
  'role:read',
  'role:write',
  'team:read',
  'team:write',
  'identity-provider:read',
  'identity-provider:write',
  'scim:write',
  'login-link:write',
  'encryption:read',
  'encryption:write',
  'audit:read',
  'evidence:write',
  'pattern:read',
  'pattern:write',
  'pattern:publish',
  'pattern:delete',
  'strategy:read',
  'strategy:write',
  'context:read',
  'context:write',
  'session:read',
  'session:write',
  'model:read',
  'provider:read',
  'provider:write',
  'egress:read',
  'budget:read',
  'budget:write',
  'redaction:write',
  'timer:read',
  'timer:write',
  'run:execute',
  'run:read',
  'run:cancel',
  'run:decide',
  'privacy:read',
  'privacy:write',
] as const;

export type Permission = (typeof permissions)[number];

export const roles = ['viewer', 'runner', 'author', 'operator', 'admin', 'owner'] as const;
export type Role = (typeof roles)[number];

/** What somebody is given: a role of the platform, or `custom:` and the name of one that the workspace made. */
export type RoleRef = Role | `custom:${string}`;

const viewer: readonly Permission[] = [
  'self:read',
  'workspace:read',
  'pattern:read',
  'strategy:read',
  'context:read',
  'session:read',
  'model:read',
  'run:read',
  'timer:read',
  'role:read',
  'team:read',
];
const runner: readonly Permission[] = [
  'self:read',
  'pattern:read',
  'strategy:read',
  'context:read',
  'session:read',
  'model:read',
  'run:execute',
  'run:read',
  'run:cancel',
];
const author: readonly Permission[] = [
  ...new Set<Permission>([
    ...viewer,
    ...runner,
    'pattern:write',
    'pattern:publish',
    'pattern:delete',
    'strategy:write',
    'context:write',
    'session:write',
    'run:decide',
    'timer:write',
  ]),
];
const operator: readonly Permission[] = [
  ...new Set<Permission>([
    ...viewer,
    ...runner,
    'pattern:publish',
    'provider:read',
    'provider:write',
    'egress:read',
    'budget:read',
    'run:decide',
    'timer:write',
  ]),
];
const admin: readonly Permission[] = [
  ...new Set<Permission>([
    ...author,
    ...operator,
    'key:read',
    'key:write',
    'member:read',
    'member:write',
    'role:write',
    'team:write',
    'budget:write',
    'redaction:write',
    'privacy:read',
    'privacy:write',
    'audit:read',
    'evidence:write',
  ]),
];

/** The permissions of each role. An owner holds all of them, now and later. */
export const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  viewer,
  runner,
  author,
  operator,
  admin,
  owner: permissions,
};
