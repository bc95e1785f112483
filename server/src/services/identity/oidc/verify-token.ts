import type { identityProviderOperations } from '@damask/contracts/identity-provider.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { findServiceAccount } from '../service-account/service-account-store.ts';
import { clockTolerance } from './provider-connections.ts';
import { findAnyProvider, type ProviderRow } from './provider-store.ts';
import { checkTokenHeader } from './token-header.ts';
import type { TokenKeys } from './token-keys.ts';

type VerifyToken = typeof identityProviderOperations.verifyToken;

/** Seconds that a token may still hold; a machine gets a new one before. */
const longestToken = 86_400;

/**
 * As which service account a token acts. Algorithm, issuer, audience and client are those that the provider was entered
 * with; nothing in the token chooses them, or leads anywhere. Null for what is not valid. Errors: `unavailable`.
 */
export async function verifyToken(
  { database, clock }: IdentityParts,
  keys: TokenKeys,
  _context: CallContext,
  { provider: id, token }: InputOf<VerifyToken>,
): Promise<OutputOf<VerifyToken>> {
  const provider = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    findAnyProvider(transaction, id),
  );
  const kid = provider && checkTokenHeader(token, provider.algorithm);
  if (!provider || provider.audience === null || kid === undefined) return { machine: null };
  const claims = await verify(provider, keys, token, kid, clock.now());
  const client = claims?.azp ?? claims?.client_id;
  const named = provider.machines.find((one) => one.client === client);
  const { workspace } = provider;
  const account =
    named &&
    (await database.transaction({ role: 'identity', workspace }, (transaction) =>
      findServiceAccount(transaction, named.service_account),
    ));
  if (!claims || !account) return { machine: null };
  const expiresAt = new Date((claims.exp as number) * 1_000 + clockTolerance * 1_000).toISOString();
  return { machine: { workspace, service_account: account.id, expires_at: expiresAt } };
}

async function verify(
  provider: ProviderRow,
  keys: TokenKeys,
  token: string,
  kid: string | null,
  now: number,
): Promise<JWTPayload | undefined> {
  const { issuer, algorithm, audience } = provider;
  const set = createLocalJWKSet(await keys.of(issuer, kid, algorithm));
  const verified = await jwtVerify(token, set, {
    algorithms: [algorithm],
    issuer,
    audience: audience as string,
    clockTolerance,
    currentDate: new Date(now),
    requiredClaims: ['exp', 'iat', 'sub'],
    // Whatever goes wrong, also by a provider's odd key: it is not valid.
  }).catch(() => undefined);
  return verified && isAccessToken(verified.payload) && isInTime(verified.payload, now) ? verified.payload : undefined;
}

/** What signs a person in, or gets new tokens, is not for calling. */
function isAccessToken(claims: JWTPayload): boolean {
  const kind = claims.typ;
  if (kind !== undefined && (typeof kind !== 'string' || kind.toLowerCase() !== 'bearer')) return false;
  if (claims.token_use !== undefined && claims.token_use !== 'access') return false;
  return ['nonce', 'at_hash', 'c_hash', 's_hash'].every((name) => claims[name] === undefined);
}

function isInTime({ exp = 0, iat = 0 }: JWTPayload, now: number): boolean {
  const seconds = now / 1_000;
  return exp - seconds <= longestToken && iat <= seconds + clockTolerance && iat < exp;
}
