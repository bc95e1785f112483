import type * as api from './generated.ts';
import type { CallOptions } from './open-operation.ts';

type Call = <Name extends api.OperationName>(
  name: Name,
  input: api.OperationTypes[Name]['input'],
  options?: CallOptions,
) => Promise<api.OperationTypes[Name]['output']>;

/** Who signed in, where, and with what. Keys do none of this, except for the link. */
export function loginCalls(call: Call) {
  return {
    login: {
      /** Who is signed in, in which workspaces, and the token that writes with a cookie need. */
      read: (options?: CallOptions) => call('readLogin', {}, options),
      /** A link that signs the owner in once, within ten minutes; for owners and whole owner keys. */
      createLink: (options?: CallOptions) => call('createLoginLink', {}, options),
      /** In a browser: signs in with the secret of a link. Throws `sign_in_refused`. */
      withLink: (input: api.SignInWithLinkInput, options?: CallOptions) => call('signInWithLink', input, options),
      /** In a browser: what `navigator.credentials.get` takes. */
      startPasskey: (options?: CallOptions) => call('startPasskeySignIn', {}, options),
      /** In a browser: signs in with what it answered. Throws `sign_in_refused`. */
      withPasskey: (input: api.SignInWithPasskeyInput, options?: CallOptions) =>
        call('signInWithPasskey', input, options),
      /** In a browser: where an invitation leads to, and how it can be accepted. Throws `sign_in_refused`. */
      readInvitation: (input: api.PreviewInvitationInput, options?: CallOptions) =>
        call('previewInvitation', input, options),
      /** In a browser: accepts an invitation as somebody new. Throws `sign_in_refused`, `sso_required`. */
      acceptInvitation: (input: api.AcceptInvitationInput, options?: CallOptions) =>
        call('acceptInvitation', input, options),
      /** In a browser: accepts it at an identity provider; `location` is where the browser goes. */
      startInvitation: (input: api.StartInvitationSignInInput, options?: CallOptions) =>
        call('startInvitationSignIn', input, options),
      /** In a browser: accepts it as who is signed in. Throws `sign_in_refused`, `sso_required`, `policy_refused`. */
      joinWorkspace: (input: api.JoinWorkspaceInput, options?: CallOptions) => call('joinWorkspace', input, options),
      /** Asks a person to let a command line act for them; `url` is where they go. */
      startCommandLine: (input: api.StartCommandLineLoginInput, options?: CallOptions) =>
        call('startCommandLineLogin', input, options),
      /** `waiting`, or the secret of a login session once the person has approved. Throws `sign_in_refused`. */
      finishCommandLine: (input: api.FinishCommandLineLoginInput, options?: CallOptions) =>
        call('finishCommandLineLogin', input, options),
      /** In a browser: which command line asks. */
      readCommandLine: (input: api.ReadCommandLineLoginInput, options?: CallOptions) =>
        call('readCommandLineLogin', input, options),
      /** In a browser: lets it act for whoever is signed in. */
      approveCommandLine: (input: api.ApproveCommandLineLoginInput, options?: CallOptions) =>
        call('approveCommandLineLogin', input, options),
      /** Ends the login session that the call comes with. */
      end: (options?: CallOptions) => call('signOut', {}, options),
    },
    loginSessions: {
      /** Where one is signed in, newest first. */
      list: (options?: CallOptions) => call('listLoginSessions', {}, options),
      /** Ends one at once, with the streams that it holds open. */
      revoke: (input: api.RevokeLoginSessionInput, options?: CallOptions) => call('revokeLoginSession', input, options),
    },
    passkeys: {
      /** One's passkeys, newest first. */
      list: (options?: CallOptions) => call('listPasskeys', {}, options),
      /** In a browser: what `navigator.credentials.create` takes. */
      start: (options?: CallOptions) => call('startPasskey', {}, options),
      /** In a browser: keeps what it answered. The login session gets another cookie. */
      create: (input: api.AddPasskeyInput, options?: CallOptions) => call('addPasskey', input, options),
      /** Nobody signs in with it any more. */
      delete: (input: api.DeletePasskeyInput, options?: CallOptions) => call('deletePasskey', input, options),
    },
  };
}
