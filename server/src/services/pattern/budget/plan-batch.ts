import { type Amount, fits, type Limits, least, minus, nothing, plus } from './amount.ts';
import { type Lease, periodKey } from './lease.ts';
import type { PeriodRow } from './ledger-store.ts';

/** A call that wants to go out. */
export interface Ask {
  readonly budgets: readonly string[];
  readonly most: Amount;
  /** Its reservation must be committed before it goes out, so that nothing is taken ahead for the next ones. */
  readonly queued: boolean;
}

/** A call that has ended. */
export interface End {
  readonly hold: string;
  readonly leases: readonly Lease[];
  readonly most: Amount;
  readonly spent: Amount;
}

/** What a batch makes of one period of a budget. */
export interface Change {
  readonly row: PeriodRow;
  /** The lease that goes on; undefined: none, or it was taken over. */
  lease: Lease | undefined;
  spent: Amount;
  /** Added to the lease. */
  total: Amount;
  free: Amount;
  room: Amount;
  refused: boolean;
}

export interface BatchPlan {
  readonly changes: ReadonlyMap<string, Change>;
  /** For each ask: the changes that it takes part in, or the one that refuses it. */
  readonly answers: readonly (readonly Change[] | Change)[];
  /** Gives back to the leases what the plan took of them, should it come to nothing. */
  readonly undo: () => void;
}

/** A process takes a sixteenth of what is left, while that is a quarter of the limit and enough for sixteen calls. */
const chunks = 16;
const roomyShare = 0.25;

/**
 * Decides a batch under the locks of its periods. First what ended makes room, then calls are admitted in their order,
 * each by all of its budgets or by none: spent, held and admitted together never exceed a limit.
 */
export function planBatch(input: {
  readonly periods: readonly PeriodRow[];
  readonly leases: ReadonlyMap<string, Lease>;
  /** The period that runs, for each budget that is asked. */
  readonly starts: ReadonlyMap<string, string>;
  readonly asks: readonly Ask[];
  readonly ends: readonly End[];
  /** Whether this process is the one that charges the call. */
  readonly charges: (end: End) => boolean;
  /** Leases whose free part goes back. */
  readonly giving: readonly Lease[];
}): BatchPlan {
  const changes = new Map<string, Change>();
  const taken: [Lease, Amount][] = [];
  const take = (lease: Lease, amount: Amount) => {
    lease.free = minus(lease.free, amount);
    taken.push([lease, amount]);
  };
  for (const row of input.periods) {
    const known = input.leases.get(periodKey(row));
    const lease = known && (row.epoch === known.epoch || isEmpty(known)) ? known : undefined;
    changes.set(periodKey(row), { row, lease, ...noChange, room: roomOf(row, lease?.total ?? nothing) });
  }

  for (const end of input.ends) {
    const charged = input.charges(end);
    for (const lease of end.leases) {
      const change = changes.get(periodKey(lease));
      if (!change) continue;
      if (charged) {
        change.spent = plus(change.spent, end.spent);
        change.room = minus(change.room, end.spent);
      }
      if (change.lease === lease) hold(change, minus(nothing, end.most));
    }
  }
  for (const lease of input.giving) {
    const change = changes.get(periodKey(lease));
    if (change?.lease !== lease) continue;
    const back = { micros: Math.max(0, lease.free.micros), tokens: Math.max(0, lease.free.tokens) };
    take(lease, back);
    hold(change, minus(nothing, back));
  }

  const answers = input.asks.map(({ budgets, most, queued }): readonly Change[] | Change => {
    const mine = budgets
      .map((budget) => changes.get(periodKey({ budget, start: input.starts.get(budget) ?? '' })))
      .filter((change) => change !== undefined);
    const lacking = mine.find((change) => !fits(minus(most, usable(change, most)), change.room, change.row));
    if (lacking) {
      lacking.refused = true;
      return lacking;
    }
    for (const change of mine) {
      const own = usable(change, most);
      if (change.lease) take(change.lease, own);
      hold(change, minus(most, own));
      const chunk = queued || change.free !== nothing ? nothing : chunkOf(change.room, most, change.row);
      if (chunk === nothing) continue;
      change.free = chunk;
      hold(change, chunk);
    }
    return mine;
  });
  return {
    changes,
    answers,
    undo() {
      for (const [lease, amount] of taken) lease.free = plus(lease.free, amount);
    },
  };
}

const noChange = { spent: nothing, total: nothing, free: nothing, refused: false };

function isEmpty({ total }: Lease): boolean {
  return total.micros === 0 && total.tokens === 0;
}

function roomOf(row: PeriodRow, own: Amount): Amount {
  const room = (limit: number | null, ...less: number[]) =>
    limit === null ? Number.POSITIVE_INFINITY : less.reduce((left, amount) => left - amount, limit);
  return {
    micros: room(row.limit_micros, row.spent_micros, row.others_micros, own.micros),
    tokens: room(row.limit_tokens, row.spent_tokens, row.others_tokens, own.tokens),
  };
}

function hold(change: Change, amount: Amount) {
  change.total = plus(change.total, amount);
  change.room = minus(change.room, amount);
}

/** What the lease has ready for the call. */
function usable({ lease }: Change, most: Amount): Amount {
  if (!lease) return nothing;
  const free = least(lease.free, most);
  return { micros: Math.max(0, free.micros), tokens: Math.max(0, free.tokens) };
}

function chunkOf(room: Amount, most: Amount, { limit_micros, limit_tokens }: Limits): Amount {
  const calls = (left: number, one: number, limit: number | null) => {
    if (limit === null) return Number.POSITIVE_INFINITY;
    return left < limit * roomyShare ? 0 : Math.floor(left / chunks / Math.max(1, one));
  };
  const count = Math.min(calls(room.micros, most.micros, limit_micros), calls(room.tokens, most.tokens, limit_tokens));
  return count < 1 ? nothing : { micros: count * most.micros, tokens: count * most.tokens };
}
