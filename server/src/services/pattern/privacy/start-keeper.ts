import { AppError } from '#platform/app-error.ts';
import type { Timer } from '#platform/clock.ts';
import { dropWeeks } from './drop-weeks.ts';
import { type ErasureParts, eraseRound } from './erase-subject.ts';
import { keepRetention } from './keep-retention.ts';
import { loadPrivacy } from './privacy-store.ts';

/** Milliseconds between two looks, and while an erasure runs. */
const every = 60_000;
const everyWhileErasing = 500;
/** Milliseconds between two looks for weeks of the journal that can go. */
const weeksEvery = 3_600_000;

export interface Keeper {
  /** There is something to be removed. */
  wake(): void;
  stop(): Promise<void>;
}

/**
 * Removes what is kept long enough, and goes on with erasures. Every process looks; each step is of one process alone, and what
 * a process leaves undone when it dies another one finds.
 */
export function startKeeper(parts: ErasureParts): Keeper {
  const { database, clock, log } = parts;
  let stopped = false;
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let weeksAt = Number.NEGATIVE_INFINITY;
  const isStopped = () => stopped;

  const look = async (): Promise<number> => {
    const { retention, erasures } = await loadPrivacy(database);
    let left = 0;
    for (const erasure of erasures) {
      if (stopped) return every;
      // One that fails must not hold up the others.
      const ended = await eraseRound(parts, erasure).catch((error: unknown) => {
        // Nothing that was sealed can be read there, and an erasure has nothing to look through.
        if (error instanceof AppError && error.code === 'workspace_shredded') return true;
        log.warn('An erasure could not go on yet', { erasure: erasure.id, error });
        return false;
      });
      if (!ended) left += 1;
    }
    // First: what goes with its week need not go row by row.
    if (clock.monotonic() - weeksAt > weeksEvery) {
      weeksAt = clock.monotonic();
      await dropWeeks(parts, retention, isStopped).catch((error: unknown) =>
        log.warn('Weeks of the journal could not be dropped yet', { error }),
      );
    }
    for (const one of retention) {
      await keepRetention(parts, one, isStopped).catch((error: unknown) =>
        log.warn('What is kept long enough could not be removed yet', { workspace: one.workspace, error }),
      );
      if (stopped) return every;
    }
    return left > 0 ? everyWhileErasing : every;
  };

  const pass = async (): Promise<void> => {
    let pause = every;
    do {
      again = false;
      pause = await look().catch((error: unknown) => {
        log.warn('The keeper cannot look yet', { error });
        return every;
      });
    } while (again && !stopped);
    running = undefined;
    if (!stopped) timer = clock.after(pause, start);
  };
  const start = () => {
    timer?.cancel();
    running ??= pass();
  };
  timer = clock.after(every, start);
  return {
    wake() {
      if (stopped) return;
      weeksAt = Number.NEGATIVE_INFINITY;
      if (running) again = true;
      else start();
    },
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}
