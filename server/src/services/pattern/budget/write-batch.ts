import type { EventData } from '@damask/contracts/events.ts';
import type { Clock } from '#platform/clock.ts';
import type { Transaction } from '#platform/database/database.ts';
import { appendEvents } from '#platform/events.ts';
import { systemContext } from '#platform/system-context.ts';
import { type Amount, nothing, plus } from './amount.ts';
import { newLease } from './lease.ts';
import * as store from './ledger-store.ts';
import type { Ask, BatchPlan, Change } from './plan-batch.ts';
import { reachedShares } from './reached-shares.ts';

/** Of which call a reservation is. */
export type Hold = Omit<store.HoldRow, 'budgets' | 'starts' | 'micros' | 'tokens'>;

export interface WrittenAsk extends Ask {
  readonly hold: Hold;
}

/** Writes what a batch comes to, under the locks under which it was planned. */
export async function writeBatch(
  transaction: Transaction,
  { workspace, process, clock }: { readonly workspace: string; readonly process: string; readonly clock: Clock },
  { changes, answers }: BatchPlan,
  asking: readonly WrittenAsk[],
  noting: Iterable<store.HoldRow>,
): Promise<void> {
  const admitted = asking.flatMap(({ hold, most }, at): store.HoldRow[] => {
    const answer = answers[at];
    return isAdmitted(answer)
      ? [
          toHold(
            hold,
            most,
            answer.map(({ row }) => row),
          ),
        ]
      : [];
  });
  await store.insertHolds(transaction, workspace, process, [...noting, ...admitted]);
  const spent: store.SpentRow[] = [];
  const held: store.LeaseRow[] = [];
  const told: EventData<'pattern.budget-reached'>[] = [];
  for (const change of changes.values()) {
    const { row } = change;
    const { budget, start } = row;
    const now = {
      spent_micros: row.spent_micros + change.spent.micros,
      spent_tokens: row.spent_tokens + change.spent.tokens,
    };
    const reached = reachedShares(row, now, change.refused, row.told);
    for (const share of reached) {
      told.push({ budget: row.name, share, ...now, resets_at: row.resets_at.toISOString() });
    }
    if (change.spent !== nothing || reached.length > 0) {
      spent.push({ budget, start, ...change.spent, told: reached.at(-1) ?? row.told });
    }
    if (change.total === nothing) continue;
    change.lease ??= newLease(budget, start, clock.uuid());
    const { lease } = change;
    const total = plus(lease.total, change.total);
    held.push({
      budget,
      start,
      epoch: lease.epoch,
      micros: Math.max(0, total.micros),
      tokens: Math.max(0, total.tokens),
    });
  }
  await store.addSpent(transaction, workspace, spent);
  await store.saveLeases(transaction, workspace, process, held);
  const context = { ...systemContext(clock), workspace };
  await appendEvents(
    transaction,
    clock,
    context,
    told.map((data) => ({ name: 'pattern.budget-reached' as const, data })),
  );
}

export function isAdmitted(answer: readonly Change[] | Change | undefined): answer is readonly Change[] {
  return Array.isArray(answer);
}

export function toHold(hold: Hold, most: Amount, periods: readonly store.PeriodName[]): store.HoldRow {
  return {
    ...hold,
    ...most,
    budgets: periods.map(({ budget }) => budget),
    starts: periods.map(({ start }) => start),
  };
}
