import { createHash, timingSafeEqual } from 'node:crypto';
import type { identityProviderOperations } from '@damask/contracts/identity-provider.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import * as oidc from 'openid-client';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { createLoginSession } from '../login/create-login-session.ts';
import { admitPerson } from './admit-person.ts';
import { redirectUri } from './describe-provider.ts';
import { type Claims, claimAt, personOfClaims } from './person-of-claims.ts';
import { useState } from './person-store.ts';
import type { ProviderConnections } from './provider-connections.ts';
import { findAnyProvider, type ProviderRow } from './provider-store.ts';
import { openTicket, type SignInTicket } from './sign-in-ticket.ts';

type FinishSignIn = typeof identityProviderOperations.finishSignIn;

/**
 * Signs in whom a provider sends back. Nothing is asked of the provider before the answer is known to belong to this
 * browser, and each answer is taken once.
 * Errors: `invalid_sign_in`, `sign_in_refused`, `unavailable` when the provider does not answer.
 */
export async function finishSignIn(
  parts: IdentityParts,
  connections: ProviderConnections,
  context: CallContext,
  { login, ticket: sealed, query, visit }: InputOf<FinishSignIn>,
): Promise<OutputOf<FinishSignIn>> {
  const { database, publicUrl } = parts;
  const provider = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    findAnyProvider(transaction, login),
  );
  if (!provider || publicUrl === null) throw notFound();
  const answer = new URL(`${redirectUri(publicUrl, provider.id)}?${query}`);
  const ticket = await openTicket(parts, provider, sealed);
  if (!ticket || !isSame(answer.searchParams.getAll('state'), ticket.state)) throw notYours();
  const hash = createHash('sha256').update(`oidc state ${ticket.state}`).digest('base64');
  const fresh = await database.transaction({ role: 'identity', workspace: null }, (transaction) =>
    useState(transaction, hash, ticket.until),
  );
  if (!fresh) throw notYours();
  const claims = await redeem(connections, provider, answer, ticket);
  const person = personOfClaims(claims, provider.groups_claim);
  const account = await admitPerson(parts, context, provider, person, ticket.invitation);
  const made = await createLoginSession(parts, context, {
    account,
    kind: 'browser',
    way: provider.name,
    provider: provider.id,
    visit,
  });
  return { ...made, return_to: ticket.returnTo };
}

async function redeem(
  connections: ProviderConnections,
  provider: ProviderRow,
  answer: URL,
  ticket: SignInTicket,
): Promise<Claims> {
  const configuration = await connections.of(provider);
  try {
    const tokens = await oidc.authorizationCodeGrant(configuration, answer, {
      expectedState: ticket.state,
      expectedNonce: ticket.nonce,
      pkceCodeVerifier: ticket.verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims() as Claims & { readonly sub: string };
    // Some providers tell more at a second address than in the token.
    const complete = claims.email !== undefined && claimAt(claims, provider.groups_claim) !== undefined;
    if (complete || configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
    return { ...(await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)), ...claims };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw refusedBy(error);
  }
}

function isSame(given: readonly string[], expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return given.length === 1 && timingSafeEqual(digest(given[0] as string), digest(expected));
}

function notYours(): AppError {
  return new AppError(
    'invalid_sign_in',
    'This answer does not belong to a sign-in that this browser began in the last ten minutes. Begin again.',
  );
}

function refusedBy(cause: unknown): AppError {
  if (cause instanceof oidc.AuthorizationResponseError) {
    const said = cause.error.replace(/[^\x21-\x7e]/g, '').slice(0, 60);
    return new AppError('invalid_sign_in', `The identity provider did not sign you in (${said}). Begin again.`);
  }
  return new AppError(
    'invalid_sign_in',
    "The identity provider's answer could not be trusted, so nobody was signed in. Begin again; the log tells an operator more.",
    {},
    { cause },
  );
}
