import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import { claimLateTasks } from './claim-tasks-store.ts';
import type { Claimer } from './claimer.ts';
import type { HeldTask } from './task-record.ts';
import { listHeld, listOwners, takeFrom } from './task-store.ts';

export interface WatchOptions {
  readonly claimer: Claimer;
  readonly registry: ProcessRegistry;
  readonly start: (task: HeldTask) => void;
  /** Keys of what this process has in hand. */
  readonly held: () => readonly string[];
  readonly drop: (key: string) => void;
  readonly wake: () => void;
  readonly onWork: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

const every = 1_000;
const page = 1_000;
/** Runs beyond their deadline that are ended in one look. */
const lateAtOnce = 16;

/** Looks each second for runs whose process died, for those beyond their deadline, and for those that others have taken. */
export function watchTasks(options: WatchOptions): { stop(): Promise<void> } {
  const { claimer, registry, clock, log } = options;
  let stopped = false;
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  let looked = clock.monotonic();
  let failing = false;

  async function takeOver() {
    const owners = await claimer.use(listOwners);
    const gone = await registry.findGone(owners);
    for (let taken = page, all = 0; taken === page; ) {
      if (gone.length === 0) return;
      taken = await claimer.use((client) => takeFrom(client, gone, { died: true, limit: page }));
      all += taken;
      if (taken === page || all === 0) continue;
      log.warn('Queued runs of processes that died go on elsewhere', { processes: gone, runs: all });
      options.onWork();
      options.wake();
    }
  }

  /** Others may have taken this process for dead: what it holds no more it must not go on calling for. */
  async function dropTaken() {
    const since = looked;
    looked = clock.monotonic();
    if (!registry.lapsedSince(since)) return;
    const mine = options.held();
    const still = await claimer.use((client) => listHeld(client, registry.id));
    for (const key of mine) if (!still.has(key)) options.drop(key);
  }

  async function pass() {
    try {
      await takeOver();
      await dropTaken();
      for (const task of await claimer.use((client) => claimLateTasks(client, registry.id, lateAtOnce))) {
        options.start(task);
      }
      failing = false;
    } catch (error) {
      if (!failing && !stopped) log.warn('Queued runs could not be looked after; it is tried again', { error });
      failing = true;
    }
    if (!stopped) timer = clock.after(every, next);
  }
  const next = () => {
    running = pass();
  };
  timer = clock.after(0, next);

  return {
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}
