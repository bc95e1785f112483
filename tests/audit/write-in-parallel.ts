import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor } from '../../server/src/platform/call.ts';
import { systemClock } from '../../server/src/platform/clock.ts';
import type { Database } from '../../server/src/platform/database/database.ts';
import { createTrail } from '../../server/src/platform/trail.ts';
import { chanceOf } from './tamper.ts';

const actor: Actor = { kind: 'system', id: 'platform', name: 'the platform', role: 'owner' };
const rollback = new Error('This one is rolled back');

/** Changes of services at the same time, some rolled back, some slow. Answers the request ids of those that committed. */
export async function writeInParallel(
  database: Database,
  options: {
    readonly workspaces: readonly string[];
    readonly writers: number;
    readonly each: number;
    readonly rolledBack: number;
    readonly seed: number;
  },
): Promise<Set<string>> {
  const { workspaces, writers, each, rolledBack, seed } = options;
  const committed = new Set<string>();
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const chance = chanceOf(seed * 1_000 + writer);
      const service = writer % 2 === 0 ? 'identity' : 'pattern';
      const trail = createTrail(service, systemClock);
      for (let count = 0; count < each; count += 1) {
        const workspace = workspaces[Math.floor(chance() * workspaces.length)] as string;
        const requestId = systemClock.uuid();
        const fails = chance() < rolledBack;
        const slow = chance() < 0.3;
        await database
          .transaction({ role: service, workspace }, async (transaction) => {
            await trail.note(
              transaction,
              { workspace, actor, requestId },
              { action: 'write', subject: `writer/${writer}` },
            );
            if (slow) await sleep(chance() * 60);
            if (fails) throw rollback;
          })
          .then(
            () => committed.add(requestId),
            (error: unknown) => {
              if (error !== rollback) throw error;
            },
          );
      }
    }),
  );
  return committed;
}
