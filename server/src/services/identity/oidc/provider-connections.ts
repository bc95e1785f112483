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
const mostKnown = 1_000;
/** Everything that a sign-in asks of a provider, each time. */
export const providerLimits = { totalMs: 10_000, maxBytes: 512 * 1024 };
/** Seconds by which clocks may differ. */
export const clockTolerance = 60;

export function createProviderConnections(parts: { egress: Egress; vault: Vault; clock: Clock }): ProviderConnections {
  const { egress, vault, clock } = parts;
  const known = new Map<string, Known>();
  const fetch = createEgressFetch(egress, providerLimits) as oidc.CustomFetch;

  async function discover(issuer: string): Promise<oidc.ServerMetadata> {
    const found = known.get(issuer);
    if (found && clock.now() - found.at < keepMs) return found.metadata;
    const configuration = await oidc
      .discovery(new URL(issuer), 'nobody', undefined, oidc.None(), {
        [oidc.customFetch]: fetch,
        timeout: providerLimits.totalMs / 1_000,
        ...(isLoopback(new URL(issuer)) ? { execute: [oidc.allowInsecureRequests] } : {}),
      })
      .catch((error: unknown) => {
        throw notAnswering(issuer, error);
      });
    if (known.size >= mostKnown) known.delete(known.keys().next().value as string);
    const metadata = configuration.serverMetadata();
    known.set(issuer, { at: clock.now(), metadata });
    return metadata;
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
