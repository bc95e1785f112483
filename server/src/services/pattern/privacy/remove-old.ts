import type { RetentionRule } from '@damask/contracts/privacy.ts';
import { holdOnSession } from './hold-session.ts';
import { type HoldRow, holdOn } from './legal-holds.ts';
import { allHolds, noteRemovals } from './privacy-store.ts';
import type { KeeperParts, RemoveStep } from './remove-step.ts';
import { ruleOf } from './retention-rules.ts';
import {
  batchNames,
  deleteBatchPart,
  deleteOldSession,
  deleteOldTicks,
  listOldBatches,
  listOldSessions,
} from './retention-store.ts';

const rowsAtOnce = 5_000;
const sessionsAtOnce = 20;

const subjectsOf = (holds: readonly HoldRow[]) => holds.flatMap(({ subject }) => subject ?? []);

/** One batch a step, or a part of one that has many lines. */
export function removeOldBatches(
  { clock }: KeeperParts,
  workspace: string,
  rules: readonly RetentionRule[],
  rule: RetentionRule,
): RemoveStep {
  return async (transaction, after) => {
    const [batch] = await listOldBatches(transaction, workspace, { after, days: rule.days, limit: 1 });
    if (!batch) return null;
    const { id, data_class, environment, pattern, created_at: at } = batch;
    if (ruleOf(rules, { of: 'batches', data_class, environment }) !== rule) return id;
    const holds = await allHolds(transaction);
    if (holdOn(holds, { pattern, from: at, to: batch.finished_at })) return id;
    const subjects = subjectsOf(holds);
    if (subjects.length > 0 && (await batchNames(transaction, workspace, id, subjects))) return id;
    if (!(await deleteBatchPart(transaction, workspace, id, rowsAtOnce))) return after ?? lowest;
    const things = [{ data_class, environment, at }];
    await noteRemovals(
      transaction,
      workspace,
      { reason: 'retention', of: 'batches', way: 'deleted' },
      things,
      clock.uuid,
    );
    return id;
  };
}

/** Before all ids. */
const lowest = '00000000-0000-0000-0000-000000000000';

export function removeOldSessions({ clock }: KeeperParts, workspace: string, { days }: RetentionRule): RemoveStep {
  return async (transaction, after) => {
    const sessions = await listOldSessions(transaction, workspace, { after, days, limit: sessionsAtOnce });
    const holds = await allHolds(transaction);
    const gone = [];
    for (const session of sessions) {
      if (await holdOnSession(transaction, workspace, holds, session)) continue;
      if (!(await deleteOldSession(transaction, workspace, session))) continue;
      gone.push({ data_class: '', environment: '', at: session.updated_at });
    }
    await noteRemovals(
      transaction,
      workspace,
      { reason: 'retention', of: 'sessions', way: 'deleted' },
      gone,
      clock.uuid,
    );
    return sessions.length === sessionsAtOnce ? (sessions.at(-1)?.id ?? null) : null;
  };
}

export function removeOldTicks({ clock }: KeeperParts, workspace: string, { days }: RetentionRule): RemoveStep {
  return async (transaction) => {
    const held = (await allHolds(transaction)).filter(({ subject, pattern }) => subject === null && pattern === null);
    const fired = await deleteOldTicks(transaction, workspace, { days, limit: rowsAtOnce, held });
    const things = fired.map((at) => ({ data_class: '', environment: '', at }));
    await noteRemovals(
      transaction,
      workspace,
      { reason: 'retention', of: 'timer_ticks', way: 'deleted' },
      things,
      clock.uuid,
    );
    return fired.length === rowsAtOnce ? lowest : null;
  };
}
