import type { Clock } from '#platform/clock.ts';
import type {
  CallIntent,
  Claim,
  Held,
  Progress,
  RunEnd,
  RunStore,
  StepDecision,
  StepRecord,
  WorkQueue,
} from './ports.ts';

/** What may be left out of the store, so that those who look for the loss prove that they find it. */
export interface StoreFaults {
  /** Whoever writes is believed to hold the run. */
  readonly unfenced?: boolean;
  /** What is noted as going out is not kept. */
  readonly forgetsCalls?: boolean;
  /** Ends of steps are not kept when calls are noted with them. */
  readonly forgetsSteps?: boolean;
  /** An end does not remove the work. */
  readonly keepsWork?: boolean;
  /** A decision that is made while the run is in hand is not looked for when it waits. */
  readonly missesDecisions?: boolean;
}

/** A run that is to be worked on. */
export interface NewWork {
  readonly workspace: string;
  readonly id: string;
  readonly deadline?: number | null;
  readonly readyAt?: number | null;
}

/** The engine's store and queue in memory: what PostgreSQL does, without anything that differs from one time to the next. */
export interface MemoryStore {
  readonly store: RunStore;
  readonly queue: WorkQueue;
  add(work: NewWork): void;
  /** The run that has been ready for longest, taken in hand; undefined: none is ready. */
  claim(owner: string, only?: string): Claim | undefined;
  /** Takes work out of the hands of a worker that is dead, or counts as dead. */
  takeOver(owner: string, only?: string): void;
  /** Whether somebody's decision was taken; false: the step does not wait for one. */
  decide(run: string, path: string, decision: StepDecision): boolean;
  /** Ends work that is in nobody's hands; false: there is none. */
  endUnclaimed(run: string, end: RunEnd): boolean;
  /** When the next run is ready, in milliseconds since 1970; undefined: none waits for a time. */
  readonly nextReady: number | undefined;
  readonly ends: ReadonlyMap<string, readonly RunEnd[]>;
  task(run: string): MemoryTask | undefined;
  stepsOf(run: string): readonly StepRecord[];
}

export interface MemoryTask {
  readonly workspace: string;
  readonly id: string;
  readonly deadline: number | null;
  state: 'queued' | 'running' | 'waiting';
  owner: string | null;
  token: bigint;
  deliveries: number;
  readyAt: number;
  calling: readonly CallIntent[];
  stepped: boolean;
}

export function createMemoryStore({ clock, faults = {} }: { clock: Clock; faults?: StoreFaults }): MemoryStore {
  const tasks = new Map<string, MemoryTask>();
  const steps = new Map<string, Map<string, StepRecord>>();
  const ends = new Map<string, RunEnd[]>();

  const held = ({ id, token }: Claim): MemoryTask | undefined => {
    const task = tasks.get(id);
    return task && (faults.unfenced || (task.token === token && task.state === 'running')) ? task : undefined;
  };
  const keep = (run: string, done: readonly StepRecord[]) => {
    const kept = steps.get(run) ?? new Map<string, StepRecord>();
    steps.set(run, kept);
    for (const record of done) {
      const before = kept.get(record.path);
      // Written again after a lost reply, it must not undo what was decided in between.
      const same = record.state === 'waiting' && before?.state === 'waiting' && before.why === record.why;
      const decision = same ? (before.decision ?? null) : null;
      kept.set(record.path, { ...record, decision, started_at: before?.started_at ?? record.started_at });
    }
  };
  const change = (claim: Claim, { done, calling }: Progress, apply: (task: MemoryTask) => void): Held => {
    const task = held(claim);
    if (!task) return 'lost';
    if (!(faults.forgetsSteps && calling.length > 0)) {
      keep(task.id, done);
      task.stepped ||= done.length > 0;
      if (done.some(({ state }) => state !== 'waiting')) task.deliveries = 0;
    }
    task.calling = faults.forgetsCalls ? [] : calling;
    apply(task);
    return 'held';
  };
  const giveBack = (task: MemoryTask, state: 'queued' | 'waiting', readyAt: number) => {
    task.state = state;
    task.owner = null;
    task.readyAt = readyAt;
  };
  const undecided = (run: string) => ![...(steps.get(run)?.values() ?? [])].some(({ decision }) => decision);
  const end = (id: string, given: RunEnd) => {
    ends.set(id, [...(ends.get(id) ?? []), given]);
    if (!faults.keepsWork) tasks.delete(id);
  };

  const store: RunStore = {
    steps: async ({ id }) =>
      [...(steps.get(id)?.values() ?? [])].sort((one, other) => one.started_at - other.started_at),
    checkpoint: async (claim, progress) => change(claim, progress, () => undefined),
    async finish(claim, given, done) {
      const task = held(claim);
      if (!task) return 'lost';
      keep(task.id, done);
      task.calling = [];
      if (faults.keepsWork) giveBack(task, 'queued', clock.now());
      end(task.id, given);
      return 'held';
    },
  };
  const queue: WorkQueue = {
    release: async (claim, { readyAt, ...progress }) =>
      change(claim, progress, (task) => giveBack(task, 'queued', readyAt ?? clock.now())),
    wait: async (claim, { until, ...progress }) =>
      change(claim, progress, (task) => {
        const waits = faults.missesDecisions || undecided(task.id);
        giveBack(task, 'waiting', waits ? (until ?? Number.POSITIVE_INFINITY) : clock.now());
      }),
  };
  return {
    store,
    queue,
    ends,
    task: (run) => tasks.get(run),
    stepsOf: (run) => [...(steps.get(run)?.values() ?? [])],
    add({ workspace, id, deadline = null, readyAt = null }) {
      // Accepted once more after a lost reply.
      if (tasks.has(id) || ends.has(id)) return;
      const rest = { owner: null, token: 0n, deliveries: 0, calling: [], stepped: false } as const;
      tasks.set(id, { workspace, id, deadline, state: 'queued', readyAt: readyAt ?? clock.now(), ...rest });
    },
    claim(owner, only) {
      let first: MemoryTask | undefined;
      for (const task of tasks.values()) {
        if (only !== undefined && task.id !== only) continue;
        const ready = task.state !== 'running' && Math.min(task.readyAt, task.deadline ?? task.readyAt) <= clock.now();
        if (ready && (first === undefined || task.readyAt < first.readyAt)) first = task;
      }
      if (first === undefined) return undefined;
      first.state = 'running';
      first.owner = owner;
      first.token += 1n;
      const { workspace, id, token, deliveries, deadline, calling, stepped } = first;
      return { workspace, id, token, deliveries, deadline, calling: calling, stepped, now: clock.now() };
    },
    takeOver(owner, only) {
      for (const task of tasks.values()) {
        if (task.owner !== owner || (only !== undefined && task.id !== only)) continue;
        giveBack(task, 'queued', clock.now());
        task.token += 1n;
        task.deliveries += 1;
      }
    },
    decide(run, path, decision) {
      const kept = steps.get(run);
      const record = kept?.get(path);
      const task = tasks.get(run);
      const asks = record?.state === 'waiting' && record.why !== 'retry' && !record.decision;
      if (!kept || !record || !task || !asks) return false;
      kept.set(path, { ...record, decision });
      if (task.state === 'waiting') giveBack(task, 'queued', clock.now());
      return true;
    },
    endUnclaimed(run, given) {
      const task = tasks.get(run);
      if (!task || task.state === 'running') return false;
      end(run, given);
      return true;
    },
    get nextReady() {
      const times = [...tasks.values()].filter(({ state }) => state !== 'running').map(({ readyAt }) => readyAt);
      const next = Math.min(...times);
      return Number.isFinite(next) ? next : undefined;
    },
  };
}
