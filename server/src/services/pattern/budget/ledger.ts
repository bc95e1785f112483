import type { Clock, Timer } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import { type Amount, minus, nothing, plus } from './amount.ts';
import type { BudgetRow } from './budget-store.ts';
import { type Lease, periodKey } from './lease.ts';
import * as store from './ledger-store.ts';
import { type BatchPlan, type Change, type End, planBatch } from './plan-batch.ts';
import { type Refusal, toRefusal } from './refusal.ts';
import { type Hold, isAdmitted, toHold, type WrittenAsk, writeBatch } from './write-batch.ts';

export type Answer = { readonly leases: readonly Lease[] } | { readonly refusal: Refusal; readonly by: string };

interface Asking extends WrittenAsk {
  /** It was told that nothing is reserved. */
  given?: true;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** The books of one workspace's budgets, as this process keeps them. */
export interface Ledger {
  /** The lease of the period that runs, as far as this process has one. */
  lease(budget: string): Lease | undefined;
  /** Reserves in the database. Rejects when it cannot be reached: nothing is reserved then. */
  ask(budgets: readonly BudgetRow[], most: Amount, hold: Hold, queued: boolean): Promise<Answer>;
  /** Keeps what was taken of leases in memory; nobody waits for it. */
  note(leases: readonly Lease[], most: Amount, hold: Hold): void;
  end(end: End): void;
  /** Gives back what no call has taken. */
  giveBack(): void;
  /** Resolves when nothing waits to be written; what is ready goes back where no call is under way. */
  settled(): Promise<void>;
  stop(): void;
}

const mostInBatch = 256;
/** Milliseconds without a call after which what a process has ready goes back. */
const idleAfter = 300;
const retryAfter = [50, 200, 1_000, 5_000];

export function createLedger(options: {
  readonly workspace: string;
  readonly process: string;
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
}): Ledger {
  const { workspace, process, database, clock, log } = options;
  const scope = { role: 'pattern', workspace };
  const leases = new Map<string, Lease>();
  const current = new Map<string, Lease>();
  const asks: Asking[] = [];
  let ends: End[] = [];
  let notes = new Map<string, store.HoldRow>();
  let giving = false;
  let returning = false;
  let pumping = false;
  let failures = 0;
  let idle: Timer | undefined;
  let usedAt = 0;
  const waiting: (() => void)[] = [];
  let stopped = false;

  const isQuiet = () => asks.length === 0 && ends.length === 0 && notes.size === 0 && !giving;

  const schedule = () => {
    if (pumping) return;
    pumping = true;
    setImmediate(() => void pump());
  };

  async function pump() {
    while (!isQuiet() && !stopped) {
      const done = await runBatch();
      returning = false;
      if (done) failures = 0;
      else {
        failures += 1;
        await clock.sleep(retryAfter[Math.min(failures, retryAfter.length) - 1] as number);
      }
    }
    pumping = false;
    for (const tell of waiting.splice(0)) tell();
    watchIdle();
  }

  function watchIdle() {
    if (idle || stopped || ![...leases.values()].some(({ free }) => free.micros > 0 || free.tokens > 0)) return;
    idle = clock.after(idleAfter, () => {
      idle = undefined;
      if (clock.monotonic() - usedAt < idleAfter) return watchIdle();
      giving = true;
      schedule();
    });
  }

  /** Answers false when the database could not be asked: what must not be lost is tried again. */
  async function runBatch(): Promise<boolean> {
    const asking = asks.splice(0, mostInBatch);
    const ending = ends.splice(0, mostInBatch);
    const given = giving ? [...leases.values()] : [];
    returning = giving;
    giving = false;
    // A call that ended before it was noted needs no note: nobody else can charge it.
    const unnoted = new Map<string, store.HoldRow>();
    for (const { hold } of ending) {
      const row = notes.get(hold);
      if (row && notes.delete(hold)) unnoted.set(hold, row);
    }
    const noting = notes;
    notes = new Map();
    const asked = clock.monotonic();
    let plan: BatchPlan | undefined;
    let names: store.PeriodName[] = [];
    let id = '';
    try {
      await database.transaction(scope, async (transaction) => {
        const budgets = [...new Set(asking.flatMap((ask) => ask.budgets))].sort();
        const starts =
          budgets.length === 0 ? new Map<string, string>() : await store.beginPeriods(transaction, workspace, budgets);
        const named = [
          ...[...starts].map(([budget, start]) => ({ budget, start })),
          ...ending.flatMap((end) => end.leases),
          ...given,
        ];
        names = [...new Map(named.map((name) => [periodKey(name), name])).values()];
        const locked = await store.lockPeriods(transaction, workspace, process, names);
        id = locked.transaction;
        const removed = await store.removeHolds(
          transaction,
          workspace,
          ending.filter(({ hold }) => !unnoted.has(hold)).map(({ hold }) => hold),
        );
        plan = planBatch({
          periods: locked.periods,
          leases,
          starts,
          asks: asking,
          ends: ending,
          charges: ({ hold }) => unnoted.has(hold) || removed.has(hold),
          giving: given,
        });
        await writeBatch(transaction, { workspace, process, clock }, plan, asking, noting.values());
      });
    } catch (error) {
      for (const ask of asking) giveUp(ask, error);
      if (failures === 0) log.warn('Budgets could not be written yet', { error });
      if (!plan || id === '' || !(await wasCommitted(id))) {
        plan?.undo();
        ends = [...ending, ...ends];
        for (const [hold, row] of [...noting, ...unnoted]) notes.set(hold, row);
        giving ||= given.length > 0;
        return false;
      }
    }
    if (plan) apply(plan, names, asking, asked);
    return true;
  }

  function giveUp(ask: Asking, error: unknown) {
    ask.given = true;
    ask.reject(error);
  }

  async function wasCommitted(id: string): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      try {
        const known = await database.transaction(scope, (transaction) => store.wasCommitted(transaction, id));
        if (known !== null) return known;
      } catch (error) {
        if (attempt === 0) log.warn('Whether budgets were written is not known yet', { error });
      }
      await clock.sleep(retryAfter[Math.min(attempt, retryAfter.length - 1)] as number);
    }
  }

  function apply(
    { changes, answers }: BatchPlan,
    names: readonly store.PeriodName[],
    asking: readonly Asking[],
    asked: number,
  ) {
    for (const key of names.map(periodKey)) {
      // Its budget was removed.
      if (!changes.has(key)) forget(key);
    }
    for (const [key, change] of changes) {
      const known = leases.get(key);
      const { lease, row } = change;
      if (known && known !== lease) forget(key);
      if (!lease) continue;
      lease.total = plus(lease.total, change.total);
      lease.free = plus(lease.free, change.free);
      lease.until = asked + row.seconds_left * 1_000;
      lease.takenAt = asked;
      leases.set(key, lease);
      if (row.seconds_left > 0) current.set(row.budget, lease);
      else if (isEmpty(lease.total)) leases.delete(key);
    }
    for (const [at, ask] of asking.entries()) {
      const answer = answers[at];
      if (isAdmitted(answer)) {
        const held = answer.map(({ lease }) => lease as Lease);
        // Who was told in the meantime that it cannot be known never calls.
        if (ask.given) ends.push({ hold: ask.hold.id, leases: held, most: ask.most, spent: nothing });
        else ask.resolve({ leases: held });
        continue;
      }
      const { row } = answer as Change;
      ask.resolve({ refusal: toRefusal(answer as Change, ask.most), by: row.budget });
    }
    if (asking.length > 0) usedAt = clock.monotonic();
  }

  function forget(key: string) {
    const lease = leases.get(key);
    if (!lease) return;
    lease.over = true;
    leases.delete(key);
    if (current.get(lease.budget) === lease) current.delete(lease.budget);
  }

  return {
    // What goes back is ready for nobody: a limit may have been lowered.
    lease: (budget) => (giving || returning ? undefined : current.get(budget)),
    ask(budgets, most, hold, queued) {
      return new Promise((resolve, reject) => {
        asks.push({ budgets: budgets.map(({ id }) => id), most, hold, queued, resolve, reject });
        schedule();
      });
    },
    note(taken, most, hold) {
      usedAt = clock.monotonic();
      notes.set(hold.id, toHold(hold, most, taken));
      schedule();
    },
    end(end) {
      ends.push(end);
      schedule();
    },
    giveBack() {
      giving = true;
      schedule();
    },
    stop() {
      stopped = true;
      idle?.cancel();
    },
    async settled() {
      const ready = [...leases.values()].filter(({ total }) => !isEmpty(total));
      if (ready.length > 0 && ready.every(({ free, total }) => isEmpty(minus(total, free)))) giving = true;
      if (!pumping && isQuiet()) return;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        schedule();
      });
    },
  };
}

function isEmpty({ micros, tokens }: Amount): boolean {
  return micros === 0 && tokens === 0;
}
