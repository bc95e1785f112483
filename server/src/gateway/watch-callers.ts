import type { IncomingMessage } from 'node:http';
import { AppError, toAppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';

/** With the news of a revoked key, which takes up to a second, within the 5 seconds that are promised. */
const lookEvery = 2_000;

/** Asks again who sends the requests that take long: a key may be revoked or expire while its run goes on. */
export function createCallerWatch(authenticate: (request: IncomingMessage) => unknown, clock: Clock) {
  // No map, for the reason that `createLiveRuns` tells.
  const watched: { readonly abort: AbortController; readonly request: IncomingMessage }[] = [];
  let looking = false;

  function look() {
    looking = false;
    for (const { abort, request } of [...watched]) {
      if (!isRefused(request)) continue;
      remove(abort);
      abort.abort(new AppError('run_cancelled', 'The key of this run was revoked or has expired.'));
    }
    lookLater();
  }

  function remove(abort: AbortController) {
    const at = watched.findIndex((one) => one.abort === abort);
    if (at < 0) return;
    // Their order does not matter: the last one takes the place that becomes free.
    watched[at] = watched[watched.length - 1] as (typeof watched)[number];
    watched.pop();
  }

  function lookLater() {
    if (looking || watched.length === 0) return;
    looking = true;
    clock.after(lookEvery, look);
  }

  // That the keys cannot be checked just now is not the caller's fault.
  function isRefused(request: IncomingMessage): boolean {
    try {
      authenticate(request);
      return false;
    } catch (error) {
      return toAppError(error).code !== 'unavailable';
    }
  }

  return {
    /** Aborts `abort` when the sender of `request` may no longer; until `forget`. */
    watch(request: IncomingMessage, abort: AbortController) {
      watched.push({ abort, request });
      lookLater();
    },
    forget: remove,
  };
}
