import type { identityOperations } from '@damask/contracts/identity.ts';
import type { Client } from '#platform/call.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { systemContext } from '#platform/system-context.ts';
import type { Principal } from './principal.ts';

/** When keys were last used, told to identity in groups: a request itself writes nothing. */
export interface KeyUses {
  note(principal: Principal): void;
  /** Tells what is left. */
  stop(): Promise<void>;
}

const tellEvery = 60_000;
const toldAtOnce = 1_000;

export function createKeyUses(options: {
  identity: Pick<Client<typeof identityOperations>, 'noteKeyUses'>;
  clock: Clock;
  log: Log;
}): KeyUses {
  const { identity, clock, log } = options;
  let used = new Set<Principal>();
  let timer: Timer | undefined;

  async function tell() {
    timer = undefined;
    const list = [...used];
    used = new Set();
    const at = new Date(Math.floor(clock.now() / tellEvery) * tellEvery).toISOString();
    // What cannot be told is forgotten: the next use says more.
    for (let from = 0; from < list.length; from += toldAtOnce) {
      const uses = list.slice(from, from + toldAtOnce).map(({ workspace, actor }) => ({ workspace, key: actor.id }));
      await identity
        .noteKeyUses(systemContext(clock), { at, uses })
        .catch((error: unknown) => log.warn('When keys were last used could not be kept', { error }));
    }
  }

  return {
    note(principal) {
      if (used.has(principal) || principal.actor.kind !== 'key') return;
      used.add(principal);
      timer ??= clock.after(tellEvery, () => void tell());
    },
    async stop() {
      timer?.cancel();
      if (used.size > 0) await tell();
    },
  };
}
