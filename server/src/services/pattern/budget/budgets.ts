import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import type { Candidate } from '../routing/candidate.ts';
import { priceAt } from '../routing/price.ts';
import type { RoutedResult } from '../routing/routed-call.ts';
import { type Amount, fits, minus, nothing } from './amount.ts';
import type { BudgetRow } from './budget-store.ts';
import type { BudgetScope, BudgetTable } from './budget-table.ts';
import { chargeOf } from './charge-of-result.ts';
import type { Lease } from './lease.ts';
import { createLedger, type Ledger } from './ledger.ts';
import type { MostOfRun } from './most-of-run.ts';
import { exceeds, priceUnknown, type Refusal, toBudgetError } from './refusal.ts';

/** What a call may cost at most, taken of all budgets that cover it. Exactly one of the two is called, once. */
export interface Reservation {
  /** Millionths; null: no limit of money covers the call, and its price is not known. */
  readonly micros: number | null;
  /** The call has ended: what it took is charged, what nobody knows at its maximum. Null: nobody knows anything. */
  settle(result: RoutedResult | null): void;
  /** No call went out. */
  release(): void;
}

export interface BudgetCall {
  readonly run: string;
  /** It is executed by a worker: its reservation is committed before the call goes out. */
  readonly queued: boolean;
  /** Computed only where a budget covers the run. */
  readonly most: () => MostOfRun;
}

/** Limits of money and tokens, kept for all processes together. */
export interface Budgets {
  /** Whether the workspace has any budget. */
  limits(workspace: string): boolean;
  /**
   * Takes what a call may cost at most of every budget that covers it, before the call goes out. Undefined where none does.
   * Errors: `budget_exceeded` with the time of the reset, `price_unknown`.
   */
  reserve(scope: BudgetScope, call: BudgetCall): Reservation | undefined | Promise<Reservation | undefined>;
  /** Throws `price_unknown` where a budget of money covers the run and a model has no price. */
  requirePrices(scope: BudgetScope, candidates: () => readonly Pick<Candidate, 'name' | 'facts'>[]): void;
  /** Resolves when all that ended before is written. */
  settled(workspace: string): Promise<void>;
  /** What is ready for the next calls goes back: budgets of the workspace have changed. */
  changed(workspace: string): void;
  stop(milliseconds: number): Promise<void>;
}

export function createBudgets(options: {
  readonly database: Database;
  readonly registry: Pick<ProcessRegistry, 'id' | 'lapsedSince'>;
  readonly table: BudgetTable;
  readonly clock: Clock;
  readonly log: Log;
}): Budgets {
  const { database, registry, table, clock, log } = options;
  const ledgers = new Map<string, Ledger>();
  const refusals = new Map<string, { readonly revision: string; readonly until: number; readonly refusal: Refusal }>();

  const ledgerOf = (workspace: string): Ledger => {
    const known = ledgers.get(workspace);
    if (known) return known;
    const ledger = createLedger({ workspace, process: registry.id, database, clock, log });
    ledgers.set(workspace, ledger);
    return ledger;
  };

  /** A limit that was reached stays so until its period ends or it is changed: nobody asks the database again. */
  const refuseKnown = (budgets: readonly BudgetRow[], most: Amount) => {
    for (const budget of budgets) {
      const known = refusals.get(budget.id);
      if (!known) continue;
      const milliseconds = known.until - clock.monotonic();
      if (known.revision !== budget.revision || milliseconds <= 0) refusals.delete(budget.id);
      else if (!fits(most, known.refusal.left, budget)) {
        const never = exceeds(most, budget);
        throw toBudgetError({ ...known.refusal, secondsLeft: milliseconds / 1_000, spent: true, never });
      }
    }
  };

  const isUsable = (lease: Lease | undefined): lease is Lease =>
    lease !== undefined && !lease.over && clock.monotonic() < lease.until && !registry.lapsedSince(lease.takenAt);

  const takeReady = (ledger: Ledger, budgets: readonly BudgetRow[], most: Amount): Lease[] | undefined => {
    const leases: Lease[] = [];
    for (const budget of budgets) {
      const lease = ledger.lease(budget.id);
      if (!isUsable(lease) || !fits(most, lease.free, budget)) return undefined;
      leases.push(lease);
    }
    for (const lease of leases) lease.free = minus(lease.free, most);
    return leases;
  };

  const toReservation = (ledger: Ledger, id: string, leases: readonly Lease[], most: MostOfRun): Reservation => {
    let open = true;
    const end = (spent: Amount) => {
      if (!open) return;
      open = false;
      ledger.end({ hold: id, leases, most: amountOf(most), spent });
    };
    return {
      micros: most.micros,
      settle(result) {
        if (result === null) return end(amountOf(most));
        const { spent, over } = chargeOf(result, most, clock.now());
        if (over) log.warn('A provider counts more than its call was allowed; the budget takes what was', { over });
        end(spent);
      },
      release: () => end(nothing),
    };
  };

  return {
    limits: (workspace) => table.has(workspace),
    reserve(scope, call) {
      const budgets = table.covering(scope);
      if (budgets === undefined) return undefined;
      const most = call.most();
      const money = budgets.find((budget) => budget.limit_micros !== null);
      if (money && most.micros === null) throw priceUnknown(money.name, most.unpriced ?? '');
      const amount = amountOf(most);
      refuseKnown(budgets, amount);
      const ledger = ledgerOf(scope.workspace);
      const hold = { id: clock.uuid(), run: call.run, queued: call.queued };
      const ready = call.queued ? undefined : takeReady(ledger, budgets, amount);
      if (ready) {
        ledger.note(ready, amount, hold);
        return toReservation(ledger, hold.id, ready, most);
      }
      return ledger.ask(budgets, amount, hold, call.queued).then((answer) => {
        if ('leases' in answer) return toReservation(ledger, hold.id, answer.leases, most);
        const { refusal, by } = answer;
        const budget = budgets.find(({ id }) => id === by);
        if (refusal.spent && budget) {
          const until = clock.monotonic() + refusal.secondsLeft * 1_000;
          refusals.set(by, { revision: budget.revision, until, refusal });
        }
        throw toBudgetError(refusal);
      });
    },
    requirePrices(scope, candidates) {
      const money = table.covering(scope)?.find((budget) => budget.limit_micros !== null);
      const unpriced = money && candidates().find(({ facts }) => priceAt(facts.prices, clock.now(), 0) === null);
      if (money && unpriced) throw priceUnknown(money.name, unpriced.name);
    },
    settled: async (workspace) => ledgers.get(workspace)?.settled(),
    changed(workspace) {
      ledgers.get(workspace)?.giveBack();
    },
    async stop(milliseconds) {
      for (const ledger of ledgers.values()) ledger.giveBack();
      const written = Promise.all([...ledgers.values()].map((ledger) => ledger.settled()));
      await Promise.race([written, clock.sleep(milliseconds)]);
      for (const ledger of ledgers.values()) ledger.stop();
    },
  };
}

function amountOf({ micros, tokens }: MostOfRun): Amount {
  return { micros: micros ?? 0, tokens };
}

/** Whether a run was refused, and is not to be counted as one, because its budget is used up. */
export function isBudgetExceeded(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'budget_exceeded';
}
