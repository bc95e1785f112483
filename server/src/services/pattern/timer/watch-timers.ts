import { AppError } from '#platform/app-error.ts';
import type { Timer } from '#platform/clock.ts';
import { fireTimer } from './fire-timer.ts';
import type { TimerParts } from './timer-parts.ts';
import { type DueTimer, forgetTicks, listDue } from './timer-store.ts';

/** Milliseconds between two looks at most: a timer of another process is found that late. */
const longestPause = 1_000;
const shortestPause = 20;
const timersAtOnce = 100;
/** A timer that could not be fired is left alone for so many milliseconds, so that it does not hold up the others. */
const restMs = 15_000;

const keepDays = 90;
const forgetEveryMs = 600_000;
const forgetAtOnce = 5_000;

/** Fires timers as they come due, by the database's clock. Every process may watch: a tick is fired once all the same. */
export function watchTimers(parts: TimerParts): { stop(): Promise<void> } {
  const { database, clock, log } = parts;
  const resting = new Map<string, number>();
  let stopped = false;
  let failing = false;
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  let forgetAt = clock.monotonic() + forgetEveryMs;

  const fire = async (due: DueTimer) => {
    const key = `${due.workspace} ${due.name}`;
    if ((resting.get(key) ?? 0) > clock.monotonic()) return;
    resting.delete(key);
    try {
      await fireTimer(parts, due);
    } catch (error) {
      resting.set(key, clock.monotonic() + restMs);
      const level = error instanceof AppError ? 'warn' : 'error';
      log[level]('A timer could not be fired yet', { timer: due.name, workspace: due.workspace, error });
    }
  };

  const look = async (): Promise<number> => {
    const { due, nextMs } = await listDue(database, timersAtOnce);
    for (const one of due) {
      if (stopped) break;
      await fire(one);
    }
    if (clock.monotonic() > forgetAt) {
      forgetAt = clock.monotonic() + forgetEveryMs;
      await forgetTicks(database, keepDays, forgetAtOnce);
    }
    return Math.max(shortestPause, Math.min(longestPause, nextMs ?? longestPause));
  };

  const pass = async () => {
    const pause = await look().then(
      (milliseconds) => {
        failing = false;
        return milliseconds;
      },
      (error: unknown) => {
        if (!failing) log.warn('Timers cannot be read at present; they fire late', { error });
        failing = true;
        return longestPause;
      },
    );
    if (stopped) return;
    timer = clock.after(pause, () => {
      running = pass();
    });
  };
  running = pass();
  return {
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}
