import { AppError } from '#platform/app-error.ts';
import type { Visit } from './visits.ts';

/** Some acts answer with another login session, and only a browser can be given one. `what` is done: `Passkeys are added`. */
export function requireCookie({ secret }: Pick<Visit, 'secret'>, what: string): void {
  if (secret !== undefined) return;
  throw new AppError('forbidden', `${what} in a browser. Sign in on the page of the server.`, { need: 'browser' });
}
