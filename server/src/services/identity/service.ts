import type { auditOperations } from '@damask/contracts/audit.ts';
import type { commandLineLoginOperations } from '@damask/contracts/command-line-login.ts';
import type { encryptionOperations } from '@damask/contracts/encryption.ts';
import type { evidenceOperations } from '@damask/contracts/evidence.ts';
import type { identityOperations } from '@damask/contracts/identity.ts';
import type { loginOperations } from '@damask/contracts/login.ts';
import type { Implementation } from '#platform/call.ts';
import type { SealedColumn } from '#platform/crypto/sealed-column.ts';
import { createTrail } from '#platform/trail.ts';
import { createAuditKeys } from './audit/audit-keys.ts';
import { createAuditOperations } from './audit/audit-operations.ts';
import { type AuditSettings, openAudit } from './audit/open-audit.ts';
import { statesOfIdentity } from './audit/state-store.ts';
import { createCommandLineOperations } from './command-line/command-line-operations.ts';
import { createKey } from './create-key.ts';
import { createWorkspace } from './create-workspace.ts';
import { readEncryption } from './encryption/read-encryption.ts';
import { rotateDataKey } from './encryption/rotate-data-key.ts';
import { shredWorkspace } from './encryption/shred-workspace.ts';
import { readProgram } from './evidence/read-program.ts';
import { sealEvidence } from './evidence/seal-evidence.ts';
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
import { identitySealedColumns } from './sealed-columns.ts';

export type { AuditSettings };

type Given = 'trail' | 'keyLimit' | 'loginLimits' | 'publicUrl' | 'auditSources' | 'auditKeys';

export interface IdentityOptions extends Omit<IdentityParts, Given> {
  readonly publicUrl?: string | null;
  /** Live keys that one workspace may have; 10,000 unless told. */
  readonly keyLimit?: number;
  /** 12 hours without use and 14 days in all unless told. */
  readonly loginLimits?: LoginLimits;
  /** This one alone unless told. */
  readonly auditSources?: readonly string[];
  /** None unless told. */
  readonly auditKeys?: IdentityParts['auditKeys'];
}

/** Folder of this service's migrations. */
export const identityMigrations = `${import.meta.dirname}/migrations`;

/** Columns that a new data key seals anew. */
export const identitySealed: readonly SealedColumn[] = identitySealedColumns;

/** Workspaces and API keys. Inputs are checked and permissions asked for before they come here. */
export function createIdentityService(
  options: IdentityOptions,
): Implementation<
  typeof identityOperations &
    typeof encryptionOperations &
    typeof loginOperations &
    typeof commandLineLoginOperations &
    typeof auditOperations &
    typeof evidenceOperations
> {
  const trail = createTrail('identity', options.clock, statesOfIdentity);
  const parts: IdentityParts = {
    keyLimit: 10_000,
    loginLimits: standardLoginLimits,
    publicUrl: null,
    auditSources: ['identity'],
    auditKeys: createAuditKeys(undefined, options.clock),
    ...options,
    egress: options.egress.surface('identity_provider'),
    trail,
  };
  return {
    ...identityProviders(parts),
    ...createLoginOperations(parts),
    ...createCommandLineOperations(parts),
    ...createAuditOperations(parts),
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
    /** What wraps the workspace's data keys, their versions, the last rotation. Errors: `workspace_shredded`. */
    readEncryption: (context) => readEncryption(parts, context),
    /** A new data key; everything is sealed anew with it. Errors: `workspace_shredded`, `unavailable`. */
    rotateDataKey: (context) => rotateDataKey(parts, context),
    /** Destroys a workspace's data keys for good. Errors: `not_found`, `policy_refused` for another name. */
    shredWorkspace: (context, input) => shredWorkspace(parts, context, input),
    /** What runs here, with its bill of materials and its controls. Errors: `forbidden`. */
    readProgram: (context) => readProgram(context),
    /** Signs the digests of collected files. Errors: `forbidden`, `invalid_request`, `unavailable`. */
    sealEvidence: (context, input) => sealEvidence(parts, context, input),
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

export interface RunningIdentity {
  readonly operations: ReturnType<typeof createIdentityService>;
  /** Seals and signs what the audit tables hold, now; it does so each second by itself. */
  sealAudit(): Promise<void>;
  /** Looks now for what was changed past the platform; it does so each day by itself. Answers how much it found. */
  lookForHandChanges(): Promise<number>;
  stop(): Promise<void>;
}

/** The service with what it does by itself: it seals, signs and sends the audit log of all services. */
export function openIdentity(
  options: IdentityOptions & { readonly process: string; readonly auditSources: readonly string[] },
  settings: AuditSettings,
): RunningIdentity {
  const keys = createAuditKeys(settings.key_file, options.clock);
  const audit = openAudit({ ...options, keys }, settings);
  return {
    operations: createIdentityService({ ...options, auditKeys: keys }),
    sealAudit: audit.pass,
    lookForHandChanges: audit.look,
    stop: audit.stop,
  };
}
