import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import type { Drive } from '../engine/work.ts';
import { claimTasks } from './claim-tasks-store.ts';
import type { Claimer } from './claimer.ts';
import type { TaskExecution } from './execute-task.ts';
import type { RecentTasks } from './recent-tasks.ts';
import type { HeldTask } from './task-record.ts';
import { keyOfTask, takeFrom } from './task-store.ts';
import { watchTasks } from './watch-tasks.ts';

export interface WorkerOptions {
  readonly claimer: Claimer;
  readonly recent: RecentTasks;
  /** `leaving` is told once a run calls nobody any more. */
  readonly execute: (task: HeldTask, leaving: () => void) => TaskExecution;
  readonly registry: ProcessRegistry;
  /** Runs that are executed at the same time; one in eight is kept for interactive ones. */
  readonly slots: number;
  readonly workspaceLimit: number;
  /** Told when there is work that others may take. */
  readonly onWork: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes queued runs in hand and executes them, as many as there are slots. */
export interface Worker {
  /** There may be work. */
  wake(): void;
  /** Keeps a slot for a run that is being accepted; null where none is free. */
  reserve(key: string): ReservedSlot | null;
  find(workspace: string, id: string): Drive | undefined;
  /** Runs in this process's hands. */
  readonly running: number;
  /** How many more it would take. */
  readonly free: number;
  /** How many milliseconds the database's clock is ahead of this process's, as of the last claim. */
  readonly ahead: number;
  /** Claims no more and lets what runs end, for `milliseconds` at most; the rest is handed back. */
  drain(milliseconds: number): Promise<void>;
}

export interface ReservedSlot {
  start(task: HeldTask): void;
  free(): void;
}

const pollWhileBusy = 250;
const pollWhileIdle = 1_000;
/** While there is a backlog, claims take some work together: so many milliseconds at most lie between them. */
const claimEvery = 5;
const claimBlockedEvery = 25;
/** Milliseconds for handing back what a drain has cut off. */
const handBackWithin = 3_000;
const takenAtOnce = 10_000;

/** For each slot so many runs may be in hand, with those whose ends are being written: they call nobody. */
const heldForSlot = 4;

interface Place {
  readonly lane: HeldTask['lane'];
  /** It takes one of the slots. */
  counts: boolean;
  execution: TaskExecution | undefined;
}

export function createWorker(options: WorkerOptions): Worker {
  const { claimer, registry, slots, clock, log } = options;
  const bulkSlots = slots - Math.floor(slots / 8);
  const places = new Map<string, Place>();
  /** Runs of which the database says that they are here, and which this process has given up. */
  const abandoned = new Set<string>();
  let counting = 0;
  let bulkCounting = 0;
  let stopping = false;
  let claiming = false;
  let again = false;
  /** A claim may have been committed whose answer never came. */
  let unsure = false;
  let backlog = false;
  let blocked = false;
  let ahead = 0;
  let failing = false;
  let timer: Timer | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  let whenEmpty: (() => void) | undefined;

  const free = () => Math.min(slots - counting, slots * heldForSlot - places.size);

  function lookIn(milliseconds: number) {
    const at = clock.monotonic() + milliseconds;
    if (stopping || timerAt <= at) return;
    timer?.cancel();
    timerAt = at;
    timer = clock.after(milliseconds, () => {
      timerAt = Number.POSITIVE_INFINITY;
      void look();
    });
  }

  async function look() {
    if (claiming) {
      again = true;
      return;
    }
    claiming = true;
    try {
      do {
        again = false;
        await claimOnce();
      } while (again && !stopping);
      if (failing) log.info('Queued runs are taken up again');
      failing = false;
    } catch (error) {
      if (!failing && !stopping) log.warn('Queued runs cannot be taken up now; it is tried again', { error });
      failing = true;
    }
    claiming = false;
    lookIn(places.size > 0 && !failing ? pollWhileBusy : pollWhileIdle);
  }

  async function claimOnce(): Promise<void> {
    if (unsure || abandoned.size > 0) await letGo();
    const asked = free();
    // Who may be taken for dead takes nothing more.
    if (stopping || asked <= 0 || registry.lapsedSince(clock.monotonic())) return;
    const { id: owner } = registry;
    const { workspaceLimit, recent } = options;
    const freeBulk = Math.max(0, bulkSlots - bulkCounting);
    unsure = true;
    const result = await claimer.use((client) =>
      claimTasks(client, { owner, slots: asked, bulkSlots: freeBulk, workspaceLimit, recent }),
    );
    unsure = false;
    for (const task of result.tasks) start(task);
    backlog = result.tasks.length >= asked;
    blocked = result.blocked;
    if (backlog) options.onWork();
    // Shares are rounded, and a workspace may have had less than its own.
    if (result.tasks.length > 0 && !backlog) again = true;
  }

  /** What the database says is here and is not goes back to the list. */
  async function letGo() {
    const { id } = registry;
    const gone = [...abandoned];
    if (gone.length > 0) {
      await claimer.use((client) => takeFrom(client, [id], { died: true, only: gone, limit: takenAtOnce }));
      for (const run of gone) abandoned.delete(run);
    }
    if (!unsure) return;
    const except = [...places.keys()].map((key) => key.slice(key.indexOf(' ') + 1));
    await claimer.use((client) => takeFrom(client, [id], { died: false, except, limit: takenAtOnce }));
    unsure = false;
  }

  function reserve(key: string, lane: HeldTask['lane']): Place {
    const place: Place = { lane, counts: true, execution: undefined };
    places.set(key, place);
    count(place, 1);
    return place;
  }

  function count({ lane }: Place, change: 1 | -1) {
    counting += change;
    if (lane === 'bulk') bulkCounting += change;
  }

  /** Others may take its slot: what is left of it is a matter of the database. */
  function vacate(place: Place) {
    if (place.counts) count(place, -1);
    place.counts = false;
    refill();
  }

  function refill() {
    if (stopping || claiming) return;
    if (backlog && free() >= slots / 4) void look();
    else if (backlog) lookIn(claimEvery);
    else if (blocked) lookIn(claimBlockedEvery);
  }

  function leave(key: string, place: Place) {
    if (places.get(key) === place) {
      places.delete(key);
      if (places.size === 0) whenEmpty?.();
    }
    vacate(place);
  }

  function start(task: HeldTask, kept?: Place) {
    const { workspace, id, now } = task.claim;
    const key = keyOfTask(workspace, id);
    ahead = now - clock.now();
    // It came back while its former claim is still being let go.
    if (!kept) places.get(key)?.execution?.drop();
    const place = kept ?? reserve(key, task.lane);
    place.execution = options.execute(task, () => vacate(place));
    place.execution.done
      .catch((error: unknown) => {
        log.warn('A queued run was given up by this process; another one goes on with it', { run: id, error });
        abandoned.add(id);
        lookIn(pollWhileIdle);
      })
      .finally(() => leave(key, place));
  }

  const watch = watchTasks({
    ...options,
    /** Those that were claimed to be ended, and those that others have now. */
    start: (task) => start(task),
    held: () => [...places].filter(([, { execution }]) => execution).map(([key]) => key),
    drop: (key) => places.get(key)?.execution?.drop(),
    wake: () => void look(),
  });
  lookIn(0);

  return {
    wake: () => {
      if (!stopping && free() > 0) void look();
    },
    reserve(key) {
      if (stopping || free() <= 0 || registry.lapsedSince(clock.monotonic())) return null;
      const place = reserve(key, 'interactive');
      return { start: (task) => start(task, place), free: () => leave(key, place) };
    },
    find: (workspace, id) => places.get(keyOfTask(workspace, id))?.execution?.drive,
    get running() {
      return places.size;
    },
    get free() {
      return free();
    },
    get ahead() {
      return ahead;
    },
    async drain(milliseconds) {
      stopping = true;
      timer?.cancel();
      await watch.stop();
      if (places.size > 0) {
        const empty = new Promise<void>((resolve) => {
          whenEmpty = resolve;
        });
        const late = clock.after(milliseconds, () => {
          for (const { execution } of places.values()) execution?.handBack();
        });
        await Promise.race([empty, clock.sleep(milliseconds + handBackWithin)]);
        late.cancel();
      }
      const left = await claimer
        .use((client) => takeFrom(client, [registry.id], { died: false, limit: takenAtOnce }))
        .catch((error: unknown) => log.warn('Queued runs could not be handed back', { error }));
      if (left) log.warn('Queued runs were handed back unfinished', { runs: left });
      options.onWork();
    },
  };
}
