import type { loginOperations } from '@damask/contracts/login.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import {
  type AuthenticatorTransportFuture,
  generateRegistrationOptions,
  SettingsService,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { checkName } from '../check-name.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { accountOf } from './account-of.ts';
import { newChallenge, openChallenge } from './challenges.ts';
import { createLoginSession, signInRefused, workspacesOf } from './create-login-session.ts';
import { leaveEverywhere } from './leave-everywhere.ts';
import { passkeysMost } from './login-parts.ts';
import { findAccount, findSession } from './login-store.ts';
import * as store from './passkey-store.ts';
import { findProviderOf } from './session-provider-store.ts';

type Start = typeof loginOperations.startNewPasskey;
type Finish = typeof loginOperations.finishNewPasskey;

// A browser may send a statement about its maker although we ask for none. With a root to lead back to, the library would
// fetch the lists of revoked certificates from wherever those certificates say.
for (const identifier of ['android-key', 'android-safetynet', 'apple', 'fido-u2f', 'packed', 'tpm'] as const) {
  SettingsService.setRootCertificates({ identifier, certificates: [] });
}

const outside = { role: 'identity', workspace: null } as const;

export async function startNewPasskey(
  parts: IdentityParts,
  context: CallContext,
  { origin, account: id }: InputOf<Start>,
): Promise<OutputOf<Start>> {
  const [account, known] = await parts.database.transaction(outside, async (transaction) => {
    const found = await findAccount(transaction, id);
    return [found, await store.listCredentials(transaction, id)] as const;
  });
  if (!account || account.id !== accountOf(context).account) throw notFound();
  if (known.length >= passkeysMost) throw tooMany();
  const { bytes, state } = newChallenge(parts, { act: 'add', origin, account: id });
  const options = await generateRegistrationOptions({
    rpName: 'Damask',
    rpID: new URL(origin).hostname,
    userName: account.email ?? account.name,
    userDisplayName: account.name,
    userID: new TextEncoder().encode(id),
    challenge: bytes,
    attestationType: 'none',
    excludeCredentials: known.map((one) => ({
      id: one.id,
      transports: one.transports as AuthenticatorTransportFuture[],
    })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
  return { options: { ...options }, state };
}

/** The session that made it is replaced: from now on more opens the account, so what was held before is worth less. */
export async function finishNewPasskey(
  parts: IdentityParts,
  context: CallContext,
  { origin, login_session, name, passkey: made, state, visit }: InputOf<Finish>,
): Promise<OutputOf<Finish>> {
  const { account } = accountOf(context);
  checkName(name);
  const { challenge } = openChallenge(parts, { act: 'add', origin, account }, state);
  const credential = await verify(origin, challenge, made);
  const { clock } = parts;
  const workspaces = await workspacesOf(parts, account);
  const id = clock.uuid();
  let added: OutputOf<Finish>['passkey'] | undefined;
  const [session, provider] = await parts.database.transaction(outside, async (transaction) => [
    await findSession(transaction, { id: login_session, account, now: clock.now() }),
    await findProviderOf(transaction, login_session),
  ]);
  if (!session) throw notFound();
  const login = await createLoginSession(parts, context, {
    account,
    kind: session.kind,
    way: session.way,
    // Who came by a provider still did: some workspaces let nobody else in.
    ...(provider === null ? {} : { provider }),
    visit,
    async before(transaction) {
      if ((await store.listCredentials(transaction, account)).length >= passkeysMost) throw tooMany();
      added = await store.insertPasskey(transaction, { id, account, name, now: clock.now(), ...credential });
      if (!added) throw new AppError('already_exists', 'This passkey is kept already. Sign in with it.');
      await leaveEverywhere(parts, transaction, context, workspaces, {
        action: 'addPasskey',
        subject: `passkey/${id}`,
        details: { name },
        event: 'identity.passkey-added',
        data: { account, passkey: id },
      });
    },
  });
  return { passkey: added as OutputOf<Finish>['passkey'], login };
}

async function verify(origin: string, challenge: string, made: InputOf<Finish>['passkey']) {
  const transports = made.transports ?? [];
  const checked = await verifyRegistrationResponse({
    response: {
      id: made.id,
      rawId: made.id,
      type: 'public-key',
      response: {
        clientDataJSON: made.client_data,
        attestationObject: made.attestation_object,
        transports: transports as AuthenticatorTransportFuture[],
      },
      clientExtensionResults: {},
    },
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: new URL(origin).hostname,
    requireUserVerification: true,
  }).catch(() => ({ verified: false }) as const);
  if (!checked.verified) throw signInRefused();
  const { id, publicKey, counter } = checked.registrationInfo.credential;
  return { credential: id, publicKey: Buffer.from(publicKey), counter, transports };
}

function tooMany(): AppError {
  return new AppError(
    'policy_refused',
    `An account has ${passkeysMost} passkeys at most. Delete one that you no longer use, then add this one.`,
  );
}
