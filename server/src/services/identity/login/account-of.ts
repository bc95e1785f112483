import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';

/** Who is signed in, and with which login session. Errors: `forbidden` for keys and for the platform itself. */
export function accountOf({ actor }: CallContext): { readonly account: string; readonly session: string } {
  if (actor.kind === 'member' && actor.account !== undefined && actor.session !== undefined) {
    return { account: actor.account, session: actor.session };
  }
  throw new AppError('forbidden', 'Only somebody who signed in does this, no key. Sign in on the page of the server.', {
    need: 'account',
  });
}
