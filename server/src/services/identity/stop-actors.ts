import type { Permission } from '@damask/contracts/permissions.ts';
import type { CallContext } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Transaction } from '#platform/database/database.ts';
import { appendEvents } from '#platform/events.ts';

const eventSize = 500;

/**
 * Says in the caller's transaction that these keys, members and service accounts run nothing any more: what they have
 * queued is then refused. For who loses their place or their role; a key that is revoked by itself says so itself.
 */
export async function stopActors(
  transaction: Transaction,
  clock: Clock,
  context: CallContext,
  actors: readonly string[],
): Promise<void> {
  const parts: string[][] = [];
  for (let from = 0; from < actors.length; from += eventSize) parts.push(actors.slice(from, from + eventSize));
  await appendEvents(
    transaction,
    clock,
    context,
    parts.map((some) => ({ name: 'identity.actors-stopped', data: { actors: some } })),
  );
}

/** Whether a change of role takes away the leave to run. */
export const stopsRuns = (before: readonly Permission[], after: readonly Permission[]): boolean =>
  before.includes('run:execute') && !after.includes('run:execute');
