import type { MissedTicks } from '@damask/contracts/timer.ts';
import type { CronSchedule } from './cron-schedule.ts';

/** What came due of a timer. Times are milliseconds since 1970. */
export interface DueTicks {
  /** Ticks in their order. */
  readonly ticks: readonly { readonly at: number; readonly fire: boolean }[];
  /** Null: the timer is over. */
  readonly next: number | null;
}

/** A tick that is fired no later than this is on time; a process that was started anew took a few seconds. */
const onTimeMs = 60_000;

/** Ticks that are kept of a long silence: the newest. */
const most = 100;

/** Which ticks are due at `now`, and which of them start a run. `from` is the first tick that nobody has looked at. */
export function findDueTicks(
  schedule: CronSchedule,
  timer: { readonly from: number; readonly endsAt: number | null; readonly missed: MissedTicks },
  now: number,
): DueTicks {
  const end = timer.endsAt ?? Number.POSITIVE_INFINITY;
  const times = schedule.between(timer.from, Math.min(now, end), most);
  const newest = times.at(-1);
  const fires = (at: number) => {
    if (timer.missed === 'all') return true;
    return at === newest && (timer.missed === 'last' || now - at <= onTimeMs);
  };
  const next = schedule.next(now);
  return { ticks: times.map((at) => ({ at, fire: fires(at) })), next: next !== null && next <= end ? next : null };
}
