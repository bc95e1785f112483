import type { PinnedVersion } from '../chain/chain-plan.ts';
import type { Ended, Host } from './part.ts';
import { freshRecord } from './step-record.ts';

/** Keeps how a part ended that consists of others. It is only shown: a restarted run derives it from what it consists of. */
export function keepEnd(host: Host, path: string, pin: PinnedVersion, ended: Ended): Ended {
  const kept = host.record(path);
  const begun = host.now();
  return (end) => {
    if (kept === undefined) {
      const state = !end.ok ? 'failed' : end.outcome.output === null ? 'skipped' : 'succeeded';
      const error = end.ok ? null : end.error;
      host.save({ ...freshRecord(path, pin, begun), state, error, finished_at: host.now() });
    }
    ended(end);
  };
}

export function keepSkipped(host: Host, path: string, pin: PinnedVersion | null): void {
  if (host.record(path)) return;
  const now = host.now();
  host.save({ ...freshRecord(path, pin, now), state: 'skipped', finished_at: now });
}
