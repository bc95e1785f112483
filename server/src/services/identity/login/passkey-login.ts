import type { loginOperations, NewLogin } from '@damask/contracts/login.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { generateAuthenticationOptions, verifyAuthenticationResponse } from '@simplewebauthn/server';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { newChallenge, openChallenge } from './challenges.ts';
import { createLoginSession, signInRefused } from './create-login-session.ts';
import { hashSecret } from './mint-secret.ts';
import * as store from './passkey-store.ts';

type Start = typeof loginOperations.startPasskeyLogin;
type Finish = typeof loginOperations.finishPasskeyLogin;

/** Names no account and no credential: the browser offers what it has, and nobody learns who has an account here. */
export async function startPasskeyLogin(parts: IdentityParts, { origin }: InputOf<Start>): Promise<OutputOf<Start>> {
  const { bytes, state } = newChallenge(parts, { act: 'signIn', origin });
  const options = await generateAuthenticationOptions({
    rpID: new URL(origin).hostname,
    challenge: bytes,
    userVerification: 'required',
  });
  return { options: { ...options }, state };
}

/** Errors: `sign_in_refused`, with one text for all causes. */
export async function finishPasskeyLogin(
  parts: IdentityParts,
  context: CallContext,
  { origin, passkey: used, state, visit }: InputOf<Finish>,
): Promise<NewLogin> {
  const { challenge, expiresAt } = openChallenge(parts, { act: 'signIn', origin }, state);
  const known = await parts.database.transaction({ role: 'identity', workspace: null }, (transaction) =>
    store.findCredential(transaction, used.id),
  );
  if (!known) throw signInRefused();
  const checked = await verifyAuthenticationResponse({
    response: {
      id: used.id,
      rawId: used.id,
      type: 'public-key',
      response: {
        clientDataJSON: used.client_data,
        authenticatorData: used.authenticator_data,
        signature: used.signature,
      },
      clientExtensionResults: {},
    },
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: new URL(origin).hostname,
    credential: { id: known.credential, publicKey: new Uint8Array(known.publicKey), counter: known.counter },
    requireUserVerification: true,
  }).catch(() => ({ verified: false }) as const);
  if (!checked.verified) throw signInRefused();
  const counter = checked.authenticationInfo.newCounter;
  return createLoginSession(parts, context, {
    account: known.account,
    kind: 'browser',
    way: 'passkey',
    visit,
    async before(transaction) {
      const now = parts.clock.now();
      const first = await store.useChallenge(transaction, hashSecret(challenge), expiresAt);
      if (!first || !(await store.notePasskeyUse(transaction, { id: known.id, counter, now }))) throw signInRefused();
    },
  });
}
