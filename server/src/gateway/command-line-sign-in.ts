import type { commandLineLoginOperations, commandLineSignInOperations } from '@damask/contracts/command-line-login.ts';
import { AppError } from '#platform/app-error.ts';
import type { Client, Implementation } from '#platform/call.ts';
import type { FailedLogins } from './failed-logins.ts';
import type { Visits } from './visits.ts';

/** A command line asks again after so long. */
const interval = 1_000;

/** Command lines that a person lets act for them. They hold no cookie: what they get is a secret for a header. */
export function createCommandLineSignIn(options: {
  readonly identity: Pick<Client<typeof commandLineLoginOperations>, 'openCommandLineLogin' | 'redeemCommandLineLogin'>;
  readonly visits: Visits;
  readonly failedLogins: FailedLogins;
  /** Looks for new login sessions now. */
  readonly refresh: () => Promise<void>;
  readonly page: () => string;
}): Implementation<typeof commandLineSignInOperations> {
  const { identity, visits, failedLogins, refresh, page } = options;
  return {
    readApprovalPage: async () => page(),
    async startCommandLineLogin(context, input) {
      const visit = visits.of(context);
      visit.requireOwnPage();
      const origin = visit.origin();
      const begun = await identity.openCommandLineLogin(context, { ...input, address: visit.told.address });
      return { ...begun, url: `${origin}/account/command-line#code=${begun.user_code}`, interval_ms: interval };
    },
    async finishCommandLineLogin(context, input) {
      const visit = visits.of(context);
      visit.requireOwnPage();
      const made = await identity
        .redeemCommandLineLogin(context, { ...input, visit: { ...visit.told, previous: null } })
        .catch((error: unknown) => {
          throw slowDown(error, failedLogins, visit.told.address);
        });
      if (made.status === 'approved') await refresh().catch(() => undefined);
      return made;
    },
  };
}

function slowDown(error: unknown, failedLogins: FailedLogins, address: string): unknown {
  if (!(error instanceof AppError) || error.code !== 'sign_in_refused') return error;
  const wait = failedLogins.note(address);
  if (wait === 0) return error;
  return new AppError('rate_limited', 'Too many of these were refused. Wait as long as Retry-After says.', {
    retryAfterSeconds: wait,
  });
}
