import type { Operation } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';

export interface LoadShedding {
  /** Throws `overloaded` when a request of `operation` is one too many. `active` counts it already. */
  admit(operation: Pick<Operation, 'shed'>, active: number): void;
}

export interface LoadSheddingOptions {
  readonly clock: Clock;
  /** Requests answered at the same time. */
  readonly concurrency: number;
  /** Milliseconds that the event loop may be behind, over about a second; 0 is no bound. */
  readonly longestLag: number;
}

const lookEvery = 250;
/** Share of the newest look in the mean: a single pause, as of a collection of garbage, must refuse nobody. */
const weight = 0.3;
/** What relieves the platform may go on for this many times as long. */
const reserve = 2;

/**
 * Refuses early what could only wait: a 503 now costs less than an answer that comes when nobody waits any more. Health
 * is never refused, and what ends work (a cancellation) last.
 */
export function createLoadShedding({ clock, concurrency, longestLag }: LoadSheddingOptions): LoadShedding {
  let lag = 0;
  let asked = false;
  let looking = false;

  function look(due: number) {
    const late = Math.max(0, clock.monotonic() - due);
    lag += (late - lag) * weight;
    looking = false;
    if (asked || lag > 1) lookLater();
    else lag = 0;
    asked = false;
  }

  function lookLater() {
    looking = true;
    const due = clock.monotonic() + lookEvery;
    clock.after(lookEvery, () => look(due));
  }

  return {
    admit({ shed }, active) {
      asked = true;
      if (!looking && longestLag > 0) lookLater();
      if (shed === 'never') return;
      const room = shed === 'last' ? reserve : 1;
      if (active > concurrency * room) throw overloaded('Too many requests are being answered.');
      if (longestLag > 0 && lag > longestLag * room) throw overloaded('The platform is behind with its answers.');
    },
  };
}

function overloaded(why: string): AppError {
  return new AppError('overloaded', `${why} Try again in a second.`, { retryAfterSeconds: 1 });
}
