import type { commandLineLoginOperations } from '@damask/contracts/command-line-login.ts';
import type { identityOperations } from '@damask/contracts/identity.ts';
import type { loginOperations } from '@damask/contracts/login.ts';
import type { Implementation } from '#platform/call.ts';
import { createTrail } from '#platform/trail.ts';
import { createCommandLineOperations } from './command-line/command-line-operations.ts';
import { createKey } from './create-key.ts';
import { createWorkspace } from './create-workspace.ts';
import type { IdentityParts } from './identity-parts.ts';
import { createInvitationOperations } from './invitation/invitation-operations.ts';
import { listKeys } from './list-keys.ts';
import { createLoginOperations } from './login/login-operations.ts';
import { type LoginLimits, standardLoginLimits } from './login/login-parts.ts';
import { createMemberOperations } from './member/member-operations.ts';
import { noteKeyUses } from './note-key-uses.ts';
import { identityProviders } from './oidc/identity-providers.ts';
import { openInstance } from './open-instance.ts';
import { readInstance } from './read-instance.ts';
import { readKey } from './read-key.ts';
import { readMe } from './read-me.ts';
import { readKeyTable, readMemberTable, readRoleTable, readServiceAccountTable } from './read-tables.ts';
import { readWorkspace } from './read-workspace.ts';
import { reissueOwnerKey } from './reissue-owner-key.ts';
import { revokeKey } from './revoke-key.ts';
import { createScimOperations } from './scim/scim-operations.ts';

export interface IdentityOptions extends Omit<IdentityParts, 'trail' | 'keyLimit' | 'loginLimits' | 'publicUrl'> {
  readonly publicUrl?: string | null;
  /** Live keys that one workspace may have; 10,000 unless told. */
  readonly keyLimit?: number;
  /** 12 hours without use and 14 days in all unless told. */
  readonly loginLimits?: LoginLimits;
}

/** Folder of this service's migrations. */
export const identityMigrations = `${import.meta.dirname}/migrations`;

/** Workspaces and API keys. Inputs are checked and permissions asked for before they come here. */
export function createIdentityService(
  options: IdentityOptions,
): Implementation<typeof identityOperations & typeof loginOperations & typeof commandLineLoginOperations> {
  const trail = createTrail('identity', options.clock);
  const parts: IdentityParts = {
    keyLimit: 10_000,
    loginLimits: standardLoginLimits,
    publicUrl: null,
    ...options,
    egress: options.egress.surface('identity_provider'),
    trail,
  };
  return {
    ...identityProviders(parts),
    ...createLoginOperations(parts),
    ...createCommandLineOperations(parts),
    /** Who the caller is, in which workspace, with which permissions. */
    readMe: (context) => readMe(parts, context),
    /** The caller's workspace. Errors: `not_found`. */
    readWorkspace: (context) => readWorkspace(parts, context),
    /** Keys with the revoked and expired ones, newest first. Errors: `invalid_cursor`. */
    listKeys: (context, input) => listKeys(parts, context, input),
    /** Errors: `forbidden` for a role above the caller's, `invalid_request`, `policy_refused` at the limit of keys. */
    createKey: (context, input) => createKey(parts, context, input),
    /** Errors: `not_found`. */
    readKey: (context, input) => readKey(parts, context, input),
    /** Holds at the edge within a second. Can be repeated. Errors: `not_found`, `policy_refused` for the last owner key. */
    revokeKey: (context, input) => revokeKey(parts, context, input),
    ...createMemberOperations(parts),
    ...createInvitationOperations(parts),
    ...createScimOperations(parts),
    /** A workspace with its owner key, whose secret is answered this once. */
    createWorkspace: (context, input) => createWorkspace(parts, context, input),
    /** Id of the installation, and its first workspace or null. */
    readInstance: () => readInstance(parts),
    /** The first workspace, at most once; afterwards tells whether the key opens it. */
    openInstance: (context, input) => openInstance(parts, context, input),
    /** One more owner key; the others stay. Errors: `not_found`. */
    reissueOwnerKey: (context, input) => reissueOwnerKey(parts, context, input),
    /** When keys were last used, to the minute. */
    noteKeyUses: (_context, input) => noteKeyUses(parts, input),
    /** A page of all live keys by id. */
    readKeyTable: (_context, input) => readKeyTable(parts, input),
    /** A page of all members whose accounts are not disabled. */
    readMemberTable: (_context, input) => readMemberTable(parts, input),
    /** A page of all workspaces' own roles. */
    readRoleTable: (_context, input) => readRoleTable(parts, input),
    /** A page of all service accounts. */
    readServiceAccountTable: (_context, input) => readServiceAccountTable(parts, input),
  };
}
