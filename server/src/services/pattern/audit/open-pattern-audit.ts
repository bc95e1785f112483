import type { patternAuditOperations } from '@damask/contracts/audit.ts';
import type { Implementation } from '#platform/call.ts';
import { findHandChanges } from '#platform/changed-by-hand.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import { createTrail, type Trail } from '#platform/trail.ts';
import { watchHandChanges } from '#platform/watch-hand-changes.ts';
import { statesOfPattern } from './state-store.ts';

export interface PatternAudit {
  readonly trail: Trail;
  readonly operations: Implementation<typeof patternAuditOperations>;
  stop(): Promise<void>;
}

/** What this service writes for the audit log, and the daily look whether all of it was written. */
export function openPatternAudit(parts: {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
}): PatternAudit {
  const trail = createTrail('pattern', parts.clock, statesOfPattern);
  const watch = watchHandChanges({ ...parts, service: 'pattern', states: statesOfPattern, trail });
  return {
    trail,
    operations: {
      /** Providers, budgets, holds, retention and redaction that were changed past the platform. */
      async readPatternAuditState({ workspace }) {
        return { items: await findHandChanges(parts.database, 'pattern', workspace, statesOfPattern) };
      },
    },
    stop: watch.stop,
  };
}
