import * as oidc from 'openid-client';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { Egress } from '#platform/egress/egress.ts';
import { createEgressFetch } from '#platform/egress/egress-fetch.ts';
import type { Vault } from '#platform/vault.ts';
import { secretPlace } from './describe-provider.ts';
import type { ProviderRow } from './provider-store.ts';
import { isLoopback } from './read-issuer.ts';

/** Ways to identity providers. What a provider says of itself is kept for a while, its keys never. */
export interface ProviderConnections {
  /** Errors: `unavailable` when the provider does not answer, or not as one does; `egress_denied`. */
  of(row: ProviderRow): Promise<oidc.Configuration>;
}

interface Known {
  readonly at: number;
  readonly metadata: oidc.ServerMetadata;
}

const keepMs = 600_000;
const askAgainMs = 5_000;
const mostKnown = 1_000;
/** Everything that a sign-in asks of a provider, each time. */
export const providerLimits = { totalMs: 10_000, maxBytes: 512 * 1024 };
/** Seconds by which clocks may differ. */
export const clockTolerance = 60;

export function createProviderConnections(parts: { egress: Egress; vault: Vault; clock: Clock }): ProviderConnections {
  const { egress, vault, clock } = parts;
  const known = new Map<string, Known>();
  const fetch = createEgressFetch(egress, providerLimits) as oidc.CustomFetch;

  const asking = new Map<string, Promise<oidc.ServerMetadata>>();
  // Anybody may begin a sign-in: a provider that is away is asked once in a while, not each time.
  const failed = new Map<string, { readonly at: number; readonly error: unknown }>();

  function discover(issuer: string): Promise<oidc.ServerMetadata> {
    const found = known.get(issuer);
    if (found && clock.now() - found.at < keepMs) return Promise.resolve(found.metadata);
    const before = failed.get(issuer);
    if (before && clock.now() - before.at < askAgainMs) return Promise.reject(before.error);
    const running = asking.get(issuer) ?? ask(issuer).finally(() => asking.delete(issuer));
    asking.set(issuer, running);
    return running;
  }

  async function ask(issuer: string): Promise<oidc.ServerMetadata> {
    const here = isLoopback(new URL(issuer));
    try {
      const configuration = await oidc.discovery(new URL(issuer), 'nobody', undefined, oidc.None(), {
        [oidc.customFetch]: fetch,
        timeout: providerLimits.totalMs / 1_000,
        ...(here ? { execute: [oidc.allowInsecureRequests] } : {}),
      });
      const metadata = configuration.serverMetadata();
      // Some publish one with a gap in it that every tenant fits: then anybody's tenant would be let in.
      if (new URL(metadata.issuer).href !== new URL(issuer).href) throw new Error('The issuer is another one');
      // People sign in there, our secret goes there, and the keys that we believe come from there.
      for (const address of [metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri]) {
        const at = new URL(address ?? '');
        if (at.protocol !== 'https:' && !isLoopback(at)) throw new Error('A sign-in would go over http');
      }
      if (known.size >= mostKnown) known.delete(known.keys().next().value as string);
      known.set(issuer, { at: clock.now(), metadata });
      return metadata;
    } catch (cause) {
      const error = notAnswering(issuer, cause);
      if (failed.size >= mostKnown) failed.clear();
      failed.set(issuer, { at: clock.now(), error });
      throw error;
    }
  }

  return {
    async of(row) {
      const { issuer, client_id, algorithm, workspace, client_secret } = row;
      const metadata = await discover(issuer);
      const secret =
        client_secret && (await vault.open(workspace, secretPlace(row.id), client_secret)).toString('utf8');
      // Made anew each time: it would keep the provider's keys, and a rotation would lock people out for minutes.
      const made = new oidc.Configuration(
        metadata,
        client_id,
        { id_token_signed_response_alg: algorithm, [oidc.clockTolerance]: clockTolerance },
        secret === null ? oidc.None() : authentication(metadata, secret),
      );
      made[oidc.customFetch] = fetch;
      made.timeout = providerLimits.totalMs / 1_000;
      if (isLoopback(new URL(issuer))) oidc.allowInsecureRequests(made);
      // The signature counts, not only the connection that the token came over.
      oidc.enableNonRepudiationChecks(made);
      return made;
    },
  };
}

function authentication(metadata: oidc.ServerMetadata, secret: string): oidc.ClientAuth {
  const ways = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  return ways.includes('client_secret_basic') ? oidc.ClientSecretBasic(secret) : oidc.ClientSecretPost(secret);
}

function notAnswering(issuer: string, cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  return new AppError(
    'unavailable',
    `${new URL(issuer).host} does not answer as an identity provider does. Check the issuer's address, then try again.`,
    {},
    { cause },
  );
}
