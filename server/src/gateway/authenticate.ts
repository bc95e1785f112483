import { hashApiKey, looksLikeApiKey } from '#platform/api-key.ts';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { AuthenticateLogin } from './authenticate-login.ts';
import { type AddressSource, type ClientAddress, createClientAddress } from './client-address.ts';
import { findCredentials } from './credentials.ts';
import { createFailedLogins, type FailedLogins } from './failed-logins.ts';
import type { KeyUses } from './key-uses.ts';
import type { Principal } from './principal.ts';
import type { KnownPrincipal, Principals } from './principals.ts';
import type { TokenTable } from './token-table.ts';

/** What of a request tells who sends it; node's `IncomingMessage` has all of it. */
export interface CredentialSource extends AddressSource {
  readonly method?: string | undefined;
  readonly rawHeaders: readonly string[];
  readonly url?: string | undefined;
}

export interface AuthenticateOptions {
  readonly principals: Pick<Principals, 'ofKey' | 'generation'>;
  /** When the tables behind it were last known to be current, by `clock.now`. */
  readonly currentAt: () => number;
  /** People who signed in; without it keys alone are recognised. */
  readonly logins?: AuthenticateLogin;
  /** Machines with tokens of identity providers. */
  readonly tokens?: Pick<TokenTable, 'find'>;
  readonly clock: Clock;
  readonly failedLogins?: FailedLogins;
  /** Whose failures are counted together; the address of the connection unless told. */
  readonly addressOf?: ClientAddress;
  /** Told of each key that is recognised. */
  readonly uses?: Pick<KeyUses, 'note'>;
  /** Headers whose key was recognised and need not be hashed again. */
  readonly hotKeys?: number;
}

/** Beyond this many milliseconds without news a revoked key could still be in the table: nobody is let in. */
const longestSilence = 60_000;

/**
 * Who sends a request, from memory alone. Throws nothing but `AppError`: `two_credentials`, `key_in_query`,
 * `unauthenticated` (one answer for all causes), `rate_limited` after many failures, `unavailable` when the key table is
 * out of date.
 */
export function createAuthenticate(
  options: AuthenticateOptions,
): (request: CredentialSource, permission?: string) => Principal {
  const { principals, currentAt, clock, logins, hotKeys = 10_000 } = options;
  const { failedLogins = createFailedLogins({ clock }), addressOf = createClientAddress([]) } = options;
  const hot = new Map<string, KnownPrincipal>();
  let hotGeneration = -1;

  function recognise(header: string): KnownPrincipal | undefined {
    if (hotGeneration !== principals.generation) {
      hot.clear();
      hotGeneration = principals.generation;
    }
    const seen = hot.get(header);
    if (seen) return seen.expiresAt > clock.now() ? seen : undefined;
    const key = bearerKey(header);
    const known = key === undefined ? undefined : principals.ofKey(hashApiKey(key));
    if (known) {
      if (hot.size >= hotKeys) hot.delete(hot.keys().next().value as string);
      hot.set(header, known);
    }
    return known;
  }

  return (request, permission = '') => {
    const header = findCredentials(request.rawHeaders, request.url ?? '');
    const login = logins?.find(request, header);
    if (header === undefined && login === undefined) throw unauthenticated();
    // A clock that was set back would otherwise stretch the time in which revoked keys pass.
    if (Math.abs(clock.now() - currentAt()) > longestSilence) throw outOfDate();
    const key = login ? undefined : recognise(header as string)?.principal;
    if (key) options.uses?.note(key);
    const known = login ? logins?.recognise(request, login, permission) : (key ?? options.tokens?.find(request));
    if (known) return known;
    const wait = failedLogins.note(addressOf(request));
    throw wait > 0 ? tooManyFailures(wait) : unauthenticated();
  };
}

const bearer = /^Bearer +(dmk_[0-9A-Za-z]{46})$/i;

function bearerKey(header: string): string | undefined {
  const key = bearer.exec(header)?.[1];
  return key !== undefined && looksLikeApiKey(key) ? key : undefined;
}

function unauthenticated(): AppError {
  return new AppError(
    'unauthenticated',
    'Send a valid API key in the header "Authorization: Bearer dmk_...". An owner or admin can make one.',
  );
}

function outOfDate(): AppError {
  return new AppError(
    'unavailable',
    'API keys cannot be checked: what is known of them is too old. Try again in a moment; /readyz tells the cause.',
    { retryAfterSeconds: 1 },
  );
}

function tooManyFailures(seconds: number): AppError {
  return new AppError(
    'rate_limited',
    'Too many invalid API keys came from this address. Wait as long as Retry-After says, then send a valid one.',
    { retryAfterSeconds: seconds },
  );
}
