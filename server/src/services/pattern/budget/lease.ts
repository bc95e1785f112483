import { type Amount, nothing } from './amount.ts';

/** What this process holds of one period of a budget. Its total is what the database has for it. */
export interface Lease {
  readonly budget: string;
  /** `2026-11-23` */
  readonly start: string;
  readonly epoch: string;
  /** Milliseconds of the clock's `monotonic` at which the period ends, and at which it was taken or renewed. */
  until: number;
  takenAt: number;
  /** What no call has taken yet; the rest of the total are calls under way. */
  free: Amount;
  total: Amount;
  /** True when others took it over, or the budget is gone. */
  over: boolean;
}

export function newLease(budget: string, start: string, epoch: string): Lease {
  return { budget, start, epoch, until: 0, takenAt: 0, free: nothing, total: nothing, over: false };
}

export const periodKey = ({ budget, start }: { readonly budget: string; readonly start: string }) =>
  `${budget}/${start}`;
