import { findHandChanges } from './changed-by-hand.ts';
import type { Clock, Timer } from './clock.ts';
import type { Database } from './database/database.ts';
import type { Log } from './log.ts';
import { systemContext } from './system-context.ts';
import type { SubjectStates, Trail } from './trail.ts';

const each = 86_400_000;
/** Once a process has served for so long: whoever starts it again and again is not looked at all the time. */
const firstAfter = 3_600_000;
const mostNamed = 100;

export interface HandChangeWatch {
  /** Looks at all workspaces now. Answers how many things it found. */
  look(): Promise<number>;
  stop(): Promise<void>;
}

/** Once a day: what of a service is not what its audit table said last is logged, and told in the audit log itself. */
export function watchHandChanges(parts: {
  readonly database: Database;
  readonly service: string;
  readonly states: SubjectStates;
  readonly trail: Trail;
  readonly clock: Clock;
  readonly log: Log;
}): HandChangeWatch {
  const { database, service, states, trail, clock, log } = parts;
  let timer: Timer | undefined;
  let stopped = false;
  let running: Promise<unknown> = Promise.resolve();

  async function look(): Promise<number> {
    const workspaces = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
      transaction.query<{ workspace: string }>('select distinct workspace from platform.data_key'),
    );
    let count = 0;
    for (const { workspace } of workspaces) {
      if (stopped) break;
      const found = await findHandChanges(database, service, workspace, states);
      if (found.length === 0) continue;
      count += found.length;
      const subjects = found.slice(0, mostNamed).map(({ subject, what }) => `${what} ${subject}`);
      log.error('Something was changed past the platform: the audit log does not know of it', { workspace, subjects });
      await database.transaction({ role: service, workspace }, (transaction) =>
        trail.note(
          transaction,
          { ...systemContext(clock), workspace },
          { action: 'findHandChanges', subject: 'state', details: { count: found.length, subjects } },
        ),
      );
    }
    return count;
  }
  const next = () => {
    running = look()
      .catch((error: unknown) => log.warn('The daily look for changes by hand failed; the next one follows', { error }))
      .finally(() => {
        if (!stopped) timer = clock.after(each, next);
      });
  };
  timer = clock.after(firstAfter, next);
  return {
    look,
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}
