import type { Clock, Timer } from '#platform/clock.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import { appendEvents } from '#platform/events.ts';
import type { Log } from '#platform/log.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import { systemContext } from '#platform/system-context.ts';
import { type Amount, nothing, plus } from './amount.ts';
import { periodKey } from './lease.ts';
import { addSpent, lockPeriods, type PeriodRow } from './ledger-store.ts';
import { reachedShares } from './reached-shares.ts';
import { type Holder, listHeld, listHolders, type OpenHold, takeHeld } from './reconcile-store.ts';

const every = 5_000;
const mostHolders = 1_000;

interface Options {
  readonly database: Database;
  readonly registry: Pick<ProcessRegistry, 'id' | 'isOver'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Settles what dead processes held. Until then all of it counts as used; afterwards their runs' ends tell what was spent,
 * and a call without a known end counts at its maximum.
 */
export function startReconciliation(options: Options): { now(): Promise<void>; stop(): Promise<void> } {
  const { clock, log } = options;
  let stopped = false;
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  const pass = () => {
    running = reconcile(options).catch((error: unknown) =>
      log.warn('What dead processes hold of budgets could not be settled yet', { error }),
    );
    return running;
  };
  const wait = () => {
    if (!stopped) timer = clock.after(every, () => void pass().then(wait));
  };
  wait();
  return {
    now: pass,
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}

async function reconcile({ database, registry, clock, log }: Options): Promise<void> {
  const over = new Map<string, boolean>();
  for (const holder of await listHolders(database, mostHolders)) {
    const { workspace, process } = holder;
    if (process === registry.id) continue;
    // Its runs must have ended first: their ends tell what it spent.
    if (!over.has(process)) over.set(process, await registry.isOver(process));
    if (!over.get(process)) continue;
    const calls = await database.transaction({ role: 'pattern', workspace }, (transaction) =>
      settleHolder(transaction, holder, clock),
    );
    log.warn('What a dead process held of budgets was settled', { process, workspace, calls });
  }
}

async function settleHolder(transaction: Transaction, holder: Holder, clock: Clock): Promise<number> {
  const { workspace, process } = holder;
  const names = await listHeld(transaction, holder);
  const { periods } = await lockPeriods(transaction, workspace, process, names);
  const holds = await takeHeld(transaction, holder);
  const spent = new Map<string, Amount>();
  for (const hold of holds) {
    const charge = chargeOfHold(hold);
    for (const [at, budget] of hold.budgets.entries()) {
      const key = periodKey({ budget, start: hold.starts[at] as string });
      spent.set(key, plus(spent.get(key) ?? nothing, charge));
    }
  }
  await addSpent(
    transaction,
    workspace,
    periods.map((row) => {
      const amount = spent.get(periodKey(row)) ?? nothing;
      return {
        budget: row.budget,
        start: row.start,
        ...amount,
        told: newlyReached(row, amount).at(-1)?.share ?? row.told,
      };
    }),
  );
  const events = periods.flatMap((row) => newlyReached(row, spent.get(periodKey(row)) ?? nothing));
  await appendEvents(
    transaction,
    clock,
    { ...systemContext(clock), workspace },
    events.map((data) => ({ name: 'pattern.budget-reached' as const, data })),
  );
  return holds.length;
}

function newlyReached(row: PeriodRow, amount: Amount) {
  const now = { spent_micros: row.spent_micros + amount.micros, spent_tokens: row.spent_tokens + amount.tokens };
  return reachedShares(row, now, false, row.told).map((share) => ({
    budget: row.name,
    share,
    ...now,
    resets_at: row.resets_at.toISOString(),
  }));
}

/** What the end of a run of one call tells, as far as it tells; else the maximum. */
function chargeOfHold(hold: OpenHold): Amount {
  const { attempts, cost_micros: cost, input_tokens: input, output_tokens: output } = hold;
  const most = { micros: hold.micros, tokens: hold.tokens };
  if (attempts === null) return most;
  if (attempts.length === 0) return nothing;
  const sure = attempts.every(({ outcome, code }) => outcome !== 'uncertain' && !String(code).startsWith('usage_'));
  if (!sure || input === null || output === null || (cost === null && hold.micros > 0)) return most;
  return { micros: Math.min(hold.micros, cost ?? 0), tokens: Math.min(hold.tokens, input + output) };
}
