import type { identityProviderOperations } from '@damask/contracts/identity-provider.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import * as oidc from 'openid-client';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { findTakeable } from '../invitation/hold-invitation.ts';
import { redirectUri } from './describe-provider.ts';
import type { ProviderConnections } from './provider-connections.ts';
import { findAnyProvider } from './provider-store.ts';
import { safeReturn } from './safe-return.ts';
import { sealTicket, ticketLifetime } from './sign-in-ticket.ts';

type BeginSignIn = typeof identityProviderOperations.beginSignIn;

/** The authorization request (code flow with PKCE, state and nonce) and the ticket that its answer is checked against. */
export async function beginSignIn(
  parts: IdentityParts,
  connections: ProviderConnections,
  _context: CallContext,
  { login, return_to, invitation: secret }: InputOf<BeginSignIn>,
): Promise<OutputOf<BeginSignIn>> {
  const { database, vault, clock, publicUrl } = parts;
  const provider = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    findAnyProvider(transaction, login),
  );
  if (!provider) throw notFound();
  if (publicUrl === null) throw addressUnknown();
  const invitation = secret === undefined ? undefined : await findTakeable(parts, secret);
  if (invitation && invitation.workspace !== provider.workspace) throw notFound();
  const configuration = await connections.of(provider);
  const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()];
  const location = oidc.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri(publicUrl, provider.id),
    scope: [...new Set(['openid', ...provider.scopes])].join(' '),
    state,
    nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  await vault.ready(provider.workspace);
  const returnTo = safeReturn(return_to);
  const invited = invitation ? { invitation: invitation.id } : {};
  const ticket = { state, nonce, verifier, returnTo, ...invited, until: clock.now() + ticketLifetime };
  return { location: location.href, ticket: await sealTicket(vault, provider, ticket) };
}

function addressUnknown(): AppError {
  return new AppError(
    'policy_refused',
    'The server does not know under which address people reach it. The operator sets DAMASK_PUBLIC_URL.',
  );
}
