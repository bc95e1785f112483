import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { EventReader } from '#platform/events.ts';
import { bumpTopic } from '#platform/topic.ts';
import type { StepError } from '../engine/ports.ts';
import { keepStopped, loadStopped } from './stopped-actor-store.ts';

/** Who may run nothing any more, in memory; follows the topic `pattern.stopped-actors`. */
export interface StoppedActors {
  load(): Promise<void>;
  /** Why what this actor asked for at that time (milliseconds since 1970) is not begun any more, if so. */
  refusal(workspace: string, actor: string, askedAt: number): StepError | undefined;
}

export const stoppedActorsTopic = 'pattern.stopped-actors';

/** An edge may let somebody in for so long after they were stopped. */
const lateBy = 2_000;
/** Nothing is queued for longer: not even what begins in a year. */
const longestWait = 400 * 86_400_000;

const refused: StepError = {
  code: 'authorization_revoked',
  detail:
    'The key or member that asked for this run was revoked, removed or lost the permission before it began. Run it again with another key.',
};

export function createStoppedActors(database: Database, clock: Clock): StoppedActors {
  let stopped: ReadonlyMap<string, number> = new Map();
  return {
    async load() {
      const rows = await loadStopped(database, new Date(clock.now() - longestWait));
      stopped = new Map(rows.map(({ workspace, actor, at }) => [`${workspace} ${actor}`, at]));
    },
    refusal(workspace, actor, askedAt) {
      const at = stopped.get(`${workspace} ${actor}`);
      return at !== undefined && askedAt <= at + lateBy ? refused : undefined;
    },
  };
}

/** Hears from identity who was stopped. An event that comes again changes nothing. */
export function createStoppedActorsReader(database: Database, afterChange: () => Promise<void>): EventReader {
  return {
    consumer: 'pattern.stopped-actors',
    source: 'identity',
    async handle({ name, workspace, at, data }) {
      const actors =
        name === 'identity.key-revoked'
          ? [(data as { key: string }).key]
          : name === 'identity.actors-stopped'
            ? (data as { actors: string[] }).actors
            : [];
      if (actors.length === 0) return;
      await database.transaction({ role: 'pattern', workspace }, async (transaction) => {
        await keepStopped(transaction, workspace, actors, at);
        await bumpTopic(transaction, stoppedActorsTopic);
      });
      // It holds already; this process only need not wait for its next look.
      await afterChange().catch(() => undefined);
    },
  };
}

/** When a run or batch was asked for, in milliseconds since 1970: its id begins with it. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
