import type { loginOperations } from '@damask/contracts/login.ts';
import type { Implementation } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { finishNewPasskey, startNewPasskey } from './add-passkey.ts';
import { deletePasskey } from './delete-passkey.ts';
import { issueLoginLink } from './issue-login-link.ts';
import { listLoginSessions } from './list-login-sessions.ts';
import { listPasskeys } from './list-passkeys.ts';
import { finishPasskeyLogin, startPasskeyLogin } from './passkey-login.ts';
import { readAccount } from './read-account.ts';
import { noteLoginSessions, readLoginSessionTable } from './read-login-session-table.ts';
import { redeemLoginLink } from './redeem-login-link.ts';
import { endLoginSession, revokeLoginSession } from './revoke-login-session.ts';

/** Signing in, and what somebody who is signed in holds. */
export function createLoginOperations(parts: IdentityParts): Implementation<typeof loginOperations> {
  return {
    /** Live ones of the caller's account, with the one in use marked. */
    listLoginSessions: (context) => listLoginSessions(parts, context),
    /** Holds at the edge within a second, and for open streams within 5. Errors: `not_found`. */
    revokeLoginSession: (context, input) => revokeLoginSession(parts, context, input),
    listPasskeys: (context) => listPasskeys(parts, context),
    /** Login sessions that began with it go on. Errors: `not_found`. */
    deletePasskey: (context, input) => deletePasskey(parts, context, input),
    /** For 10 minutes and one use. Errors: `forbidden` for all but whole owners. */
    issueLoginLink: (context) => issueLoginLink(parts, context),
    /** Errors: `sign_in_refused`. */
    redeemLoginLink: (context, input) => redeemLoginLink(parts, context, input),
    /** Errors: `not_found` when the session has ended. */
    readAccount: (context, input) => readAccount(parts, context, input),
    startPasskeyLogin: (_, input) => startPasskeyLogin(parts, input),
    /** Errors: `sign_in_refused`. */
    finishPasskeyLogin: (context, input) => finishPasskeyLogin(parts, context, input),
    /** Errors: `policy_refused` with 20 passkeys. */
    startNewPasskey: (context, input) => startNewPasskey(parts, context, input),
    /** Answers a new login session too. Errors: `sign_in_refused`, `already_exists`, `policy_refused`. */
    finishNewPasskey: (context, input) => finishNewPasskey(parts, context, input),
    endLoginSession: (context, input) => endLoginSession(parts, context, input),
    /** A page of all live login sessions by id. */
    readLoginSessionTable: (context, input) => readLoginSessionTable(parts, context, input),
    noteLoginSessions: (context, input) => noteLoginSessions(parts, context, input),
  };
}
