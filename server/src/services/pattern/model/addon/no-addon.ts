import { AppError } from '#platform/app-error.ts';

/** The add-on is not there, and why. */
export function noAddon(why: string, retryAfterSeconds?: number): AppError {
  return new AppError(
    'no_model',
    `The add-on for this provider is not ready: ${why} It is installed with npm when it is used first, for which the package registry must be in reach. Try again later, or use a provider of another protocol.`,
    retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
  );
}
