import type { identityProviderOperations, providerSignInOperations } from '@damask/contracts/identity-provider.ts';
import { AppError } from '#platform/app-error.ts';
import type { Client, Implementation } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { FailedLogins } from './failed-logins.ts';
import { readTicket, ticketCookie } from './ticket-cookie.ts';
import type { Visits } from './visits.ts';

/** Sign-ins by identity providers: the browser is sent there, comes back and gets the cookie. */
export function createProviderSignIn(options: {
  readonly identity: Pick<Client<typeof identityProviderOperations>, 'beginSignIn' | 'finishSignIn'>;
  readonly visits: Visits;
  readonly failedLogins: FailedLogins;
  /** Looks for new login sessions and members now. */
  readonly refresh: () => Promise<void>;
  readonly clock: Clock;
}): Implementation<typeof providerSignInOperations> {
  const { identity, visits, failedLogins, refresh, clock } = options;
  return {
    async startProviderSignIn(context, input) {
      const visit = visits.of(context);
      const secure = visit.origin().startsWith('https:');
      const { location, ticket } = await identity.beginSignIn(context, input);
      visit.response.appendHeader('set-cookie', ticketCookie(ticket, secure));
      return { location };
    },
    async finishProviderSignIn(context, { login, query }) {
      const visit = visits.of(context);
      const secure = visit.origin().startsWith('https:');
      const ticket = readTicket(visit.request.headers.cookie, secure) ?? '';
      const made = await identity
        .finishSignIn(context, { login, query, ticket, visit: visit.told })
        .catch((error: unknown) => {
          throw slowDown(error, failedLogins, visit.told.address);
        });
      await refresh().catch(() => undefined);
      const seconds = (Date.parse(made.session.expires_at) - clock.now()) / 1_000;
      visit.response.appendHeader('set-cookie', ticketCookie('', secure));
      visit.keep({ secret: made.secret, seconds });
      return { location: made.return_to };
    },
  };
}

function slowDown(error: unknown, failedLogins: FailedLogins, address: string): unknown {
  if (!(error instanceof AppError) || error.code !== 'invalid_sign_in') return error;
  const wait = failedLogins.note(address);
  if (wait === 0) return error;
  return new AppError(
    'rate_limited',
    'Too many sign-ins from this address could not be finished. Wait as long as Retry-After says, then begin again.',
    { retryAfterSeconds: wait },
  );
}
