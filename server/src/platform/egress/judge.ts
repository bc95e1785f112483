import { toAppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import { parseAddress } from './address.ts';
import { deadline } from './follow.ts';
import { type Guard, portOf } from './guard.ts';
import type { Lookup, Resolved } from './pools.ts';

export interface EgressVerdict {
  /** `unknown`: the name could not be resolved now, and is judged when it can. */
  readonly verdict: 'allowed' | 'denied' | 'unknown';
  readonly reason: string | null;
}

const lookupMs = 3_000;
/** The system resolves names in its four threads for slow work, which files and hashes need as well. */
const mostLookups = 2;

/** Says what the guard thinks of an address and of all that its name leads to at this moment. Nothing is sent there. */
export function createJudge({ guard, lookup, clock }: { guard: Guard; lookup: Lookup; clock: Clock }) {
  let asking = 0;

  async function resolve(host: string): Promise<readonly Resolved[] | string> {
    if (asking >= mostLookups) return 'Other names are being resolved now. Ask again in a moment.';
    asking += 1;
    const found = lookup(host)
      .catch(() => [])
      .finally(() => {
        asking -= 1;
      });
    const limit = deadline(clock, lookupMs, host, undefined);
    const late = new Promise<[]>((done) => limit.signal.addEventListener('abort', () => done([])));
    const first = await Promise.race([found, late]);
    limit.stop();
    return first.length > 0 ? first : `${host.slice(0, 100)} cannot be resolved now. Check the name.`;
  }

  return async (text: string): Promise<EgressVerdict> => {
    try {
      const url = guard.checkUrl(text);
      if (parseAddress(url.hostname) !== null) return { verdict: 'allowed', reason: null };
      const found = await resolve(url.hostname);
      if (typeof found === 'string') return { verdict: 'unknown', reason: found };
      for (const { address } of found) guard.checkAddress(url.hostname, portOf(url), address);
      return { verdict: 'allowed', reason: null };
    } catch (error) {
      return { verdict: 'denied', reason: toAppError(error).message };
    }
  };
}
