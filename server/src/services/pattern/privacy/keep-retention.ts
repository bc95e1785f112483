import type { RetentionRule } from '@damask/contracts/privacy.ts';
import type { Transaction } from '#platform/database/database.ts';
import { holdOn } from './legal-holds.ts';
import { allHolds, noteRemovals, type RetentionRow } from './privacy-store.ts';
import { removeOldBatches, removeOldSessions, removeOldTicks } from './remove-old.ts';
import type { KeeperParts, RemoveStep } from './remove-step.ts';
import { nameOfRule, ruleOf } from './retention-rules.ts';
import { deleteRuns, listOldRuns, readProgress, removeIn, saveProgress, shredTexts } from './retention-store.ts';

const runsAtOnce = 500;

/** Goes through what a workspace has kept long enough, in small transactions; what was removed until it is stopped stays so. */
export async function keepRetention(
  parts: KeeperParts,
  { workspace, rules }: RetentionRow,
  stopped: () => boolean,
): Promise<void> {
  for (const rule of rules) {
    const step = stepOf(parts, workspace, rules, rule);
    for (let after: string | null = null; !stopped(); ) {
      const came = await removeIn(parts.database, workspace, (transaction) => step(transaction, after));
      if (came === 'busy') return;
      if (came === null) break;
      after = came;
    }
  }
}

function stepOf(
  parts: KeeperParts,
  workspace: string,
  rules: readonly RetentionRule[],
  rule: RetentionRule,
): RemoveStep {
  switch (rule.of) {
    case 'runs':
    case 'records':
      return (transaction) => removeOldRuns(parts, transaction, workspace, rules, rule);
    case 'batches':
      return removeOldBatches(parts, workspace, rules, rule);
    case 'sessions':
      return removeOldSessions(parts, workspace, rule);
    case 'timer_ticks':
      return removeOldTicks(parts, workspace, rule);
  }
}

async function removeOldRuns(
  { clock }: KeeperParts,
  transaction: Transaction,
  workspace: string,
  rules: readonly RetentionRule[],
  rule: RetentionRule,
): Promise<string | null> {
  const { of, days } = rule;
  const name = nameOfRule(rule);
  const holds = await allHolds(transaction);
  const after = await readProgress(transaction, workspace, name);
  const old = await listOldRuns(transaction, workspace, { after, days, limit: runsAtOnce });
  const due = old.filter(({ stored, data_class, environment, pattern, subject, accepted_at: at }) => {
    if (ruleOf(rules, { of, data_class, environment }) !== rule) return false;
    if (of === 'runs' && !stored) return false;
    return !holdOn(holds, { subject, pattern, from: at, to: at });
  });
  const ids = due.map(({ id }) => id);
  if (ids.length > 0) {
    if (of === 'runs') await shredTexts(transaction, workspace, ids);
    else await deleteRuns(transaction, workspace, ids);
    const way = of === 'runs' ? 'shredded' : 'deleted';
    const things = due.map(({ data_class, environment, accepted_at }) => ({
      data_class,
      environment,
      at: accepted_at,
    }));
    await noteRemovals(transaction, workspace, { reason: 'retention', of, way }, things, clock.uuid);
  }
  const last = old.at(-1);
  if (last) await saveProgress(transaction, workspace, name, last.id);
  return last && old.length === runsAtOnce ? last.id : null;
}
