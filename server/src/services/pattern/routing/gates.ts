import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { Gate } from './gate.ts';
import type { MinuteStore } from './minute-store.ts';

/** Gates that are remembered; the longest unused ones without calls are forgotten first. */
const mostGates = 20_000;

/** The gates of this process, one for each provider of each workspace. */
export interface Gates {
  of(workspace: string, provider: string): Gate;
  /** What was learned about a provider counts no more: it was changed. */
  forget(workspace: string, provider: string): void;
}

export function createGates(options: { clock: Clock; log: Log; minutes?: MinuteStore }): Gates {
  const gates = new Map<string, Gate>();
  const keyOf = (workspace: string, provider: string) => `${workspace}/${provider}`;
  return {
    of(workspace, provider) {
      const key = keyOf(workspace, provider);
      const known = gates.get(key);
      if (known) return known;
      if (gates.size >= mostGates) {
        for (const [old, gate] of gates) {
          if (gates.size < mostGates) break;
          if (gate.isIdle) gates.delete(old);
        }
      }
      const gate = new Gate({ name: provider, workspace, ...options });
      gates.set(key, gate);
      return gate;
    },
    forget(workspace, provider) {
      gates.delete(keyOf(workspace, provider));
    },
  };
}
