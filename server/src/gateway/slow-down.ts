import { AppError } from '#platform/app-error.ts';
import type { FailedLogins } from './failed-logins.ts';

/** What is told of a failed sign-in. A secret cannot be guessed; whoever tries is slowed down all the same. */
export function slowDown(error: unknown, failedLogins: FailedLogins, address: string): unknown {
  if (!(error instanceof AppError) || error.code !== 'sign_in_refused') return error;
  const wait = failedLogins.note(address);
  if (wait === 0) return error;
  return new AppError(
    'rate_limited',
    'Too many sign-ins from this address were refused. Wait as long as Retry-After says, then begin again.',
    { retryAfterSeconds: wait },
  );
}
