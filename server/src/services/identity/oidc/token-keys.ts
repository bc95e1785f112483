import type { JSONWebKeySet } from 'jose';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { Egress } from '#platform/egress/egress.ts';
import { providerLimits } from './provider-connections.ts';
import { isLoopback } from './read-issuer.ts';

/** Keys that providers sign tokens with, as they publish them. */
export interface TokenKeys {
  /** Those that could have signed a token with this key id and algorithm. Errors: `unavailable`, `egress_denied`. */
  of(issuer: string, kid: string | null, algorithm: string): Promise<JSONWebKeySet>;
}

interface Known {
  readonly keys: JSONWebKeySet['keys'];
  readonly at: number;
}

const keepMs = 600_000;
/** A token with an unknown key makes us look again, but strangers cannot make us look all the time. */
const lookAgainMs = 5_000;
const mostIssuers = 1_000;
const kinds: Readonly<Record<string, string>> = { R: 'RSA', P: 'RSA', E: 'EC' };

export function createTokenKeys({ egress, clock }: { egress: Egress; clock: Clock }): TokenKeys {
  const known = new Map<string, Known>();
  const looking = new Map<string, Promise<Known>>();
  // A provider that is away is asked once in a while, not for each token that comes.
  const failed = new Map<string, { readonly at: number; readonly error: unknown }>();

  const look = (issuer: string): Promise<Known> => {
    const running = looking.get(issuer);
    if (running) return running;
    const before = failed.get(issuer);
    if (before && clock.now() - before.at < lookAgainMs) return Promise.reject(before.error);
    const started = read(issuer)
      .catch((error: unknown) => {
        if (failed.size >= mostIssuers) failed.clear();
        failed.set(issuer, { at: clock.now(), error });
        throw error;
      })
      .finally(() => looking.delete(issuer));
    looking.set(issuer, started);
    return started;
  };

  const read = async (issuer: string): Promise<Known> => {
    const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const metadata = await ask(address);
    if (metadata.issuer !== issuer || typeof metadata.jwks_uri !== 'string') throw notAnswering(issuer);
    const at = URL.canParse(metadata.jwks_uri) ? new URL(metadata.jwks_uri) : null;
    if (!at || (at.protocol !== 'https:' && !isLoopback(at))) throw notAnswering(issuer);
    const { keys } = await ask(at.href);
    if (!Array.isArray(keys)) throw notAnswering(issuer);
    const found = { keys: keys.slice(0, 100) as JSONWebKeySet['keys'], at: clock.now() };
    if (known.size >= mostIssuers) known.delete(known.keys().next().value as string);
    known.set(issuer, found);
    return found;
  };

  const ask = async (url: string): Promise<Record<string, unknown>> => {
    const { status, body } = await egress.request(url, {
      headers: { accept: 'application/json' },
      redirects: 0,
      ...providerLimits,
    });
    try {
      const value = status === 200 ? (JSON.parse(body.toString('utf8')) as unknown) : null;
      if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
    } catch {
      // Told below.
    }
    throw notAnswering(url);
  };

  return {
    async of(issuer, kid, algorithm) {
      const before = known.get(issuer);
      const age = before ? clock.now() - before.at : Number.POSITIVE_INFINITY;
      if (before && age < keepMs) {
        const keys = fitting(before, kid, algorithm);
        if (keys.length > 0 || age < lookAgainMs) return { keys };
      }
      return { keys: fitting(await look(issuer), kid, algorithm) };
    },
  };
}

function fitting({ keys }: Known, kid: string | null, algorithm: string): JSONWebKeySet['keys'] {
  const kind = algorithm === 'EdDSA' ? 'OKP' : kinds[algorithm[0] as string];
  return keys.filter(
    (key) =>
      typeof key === 'object' &&
      key !== null &&
      key.kty === kind &&
      (kid === null || key.kid === kid) &&
      (key.use === undefined || key.use === 'sig') &&
      (key.alg === undefined || key.alg === algorithm),
  );
}

function notAnswering(address: string): AppError {
  return new AppError(
    'unavailable',
    `${new URL(address).host} does not publish its keys as an identity provider does.`,
  );
}
