import type { invitationOperations } from '@damask/contracts/invitation.ts';
import type { Implementation } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { issueInvitation } from './issue-invitation.ts';
import { joinAsNew } from './join-as-new.ts';
import { joinSignedIn } from './join-signed-in.ts';
import { listInvitations, readInvitation } from './list-invitations.ts';
import { revokeInvitation } from './revoke-invitation.ts';
import { showInvitation } from './show-invitation.ts';

/** Invitations to a workspace; who accepts one at an identity provider does so by `beginSignIn`. */
export function createInvitationOperations(parts: IdentityParts): Implementation<typeof invitationOperations> {
  return {
    /** Newest first. Errors: `invalid_cursor`. */
    listInvitations: (context, input) => listInvitations(parts, context, input),
    /** Errors: `not_found`. */
    readInvitation: (context, input) => readInvitation(parts, context, input),
    /** Holds at once; can be repeated. Errors: `forbidden` for a role above the caller's, `not_found`. */
    revokeInvitation: (context, input) => revokeInvitation(parts, context, input),
    /** Errors: `forbidden` for a role above the caller's, `not_found`, `invalid_request`, `policy_refused` at the limit. */
    issueInvitation: (context, input) => issueInvitation(parts, context, input),
    /** Errors: `sign_in_refused`. */
    showInvitation: (context, input) => showInvitation(parts, context, input),
    /** Errors: `sign_in_refused`, `sso_required`, `policy_refused`. */
    joinAsNew: (context, input) => joinAsNew(parts, context, input),
    /** Errors: `sign_in_refused`, `sso_required`, `policy_refused`, `not_found`. */
    joinSignedIn: (context, input) => joinSignedIn(parts, context, input),
  };
}
