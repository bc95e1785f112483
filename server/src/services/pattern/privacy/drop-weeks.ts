import { addRemoval, allHolds, listHeldWorkspaces, type RetentionRow } from './privacy-store.ts';
import type { KeeperParts } from './remove-step.ts';
import { longestRecords } from './retention-rules.ts';
import { removeIn } from './retention-store.ts';
import { deleteBesides, dropWeek, enterWorkspace, isPast, listWeeks, listWorkspaces } from './week-store.ts';

const stepsAtOnce = 5_000;

/** Drops the weeks of the journal whose records are all past the retention of their workspaces. A hold keeps its workspace's weeks. */
export async function dropWeeks(
  { database, clock }: KeeperParts,
  retention: readonly RetentionRow[],
  stopped: () => boolean,
): Promise<void> {
  const limits = retention.flatMap(({ workspace, rules }) => {
    const days = longestRecords(rules);
    return days === undefined ? [] : [{ workspace, days }];
  });
  if (limits.length === 0) return;
  for (const week of await listWeeks(database)) {
    const held = await listHeldWorkspaces(database);
    const past = limits.flatMap(({ workspace, days }) => (days <= week.age && !held.has(workspace) ? workspace : []));
    if (past.length === 0 || !(await isPast(database, week, past))) continue;
    const present = await listWorkspaces(database, week);
    for (const workspace of present) {
      for (let gone = false; !gone; ) {
        if (stopped()) return;
        const came = await removeIn(database, workspace, (transaction) =>
          deleteBesides(transaction, workspace, week, stepsAtOnce),
        );
        if (came === 'busy') return;
        gone = came;
      }
    }
    const came = await removeIn(database, null, async (transaction) => {
      // A hold may have been put since; from here on none is.
      for (const workspace of present) {
        await enterWorkspace(transaction, workspace);
        if ((await allHolds(transaction)).length > 0) return;
      }
      const dropped = await dropWeek(transaction, week.week, past);
      for (const { workspace, runs: count, oldest, newest } of dropped) {
        await enterWorkspace(transaction, workspace);
        await addRemoval(transaction, workspace, {
          ...{ id: clock.uuid(), reason: 'retention', of: 'records', way: 'dropped' },
          ...{ data_class: '', environment: '', count, oldest, newest },
        });
      }
    });
    if (came === 'busy' || stopped()) return;
  }
}
