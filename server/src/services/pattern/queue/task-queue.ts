import type { Clock } from '#platform/clock.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import type { Claim, StepRecord } from '../engine/ports.ts';
import type { Drive } from '../engine/work.ts';
import type { FinishedRow } from '../run/record.ts';
import { createClaimer } from './claimer.ts';
import { type ExecuteParts, executeTask } from './execute-task.ts';
import { createRecentTasks } from './recent-tasks.ts';
import { createRunPorts } from './run-ports.ts';
import type { Enqueued } from './task-record.ts';
import { insertTasks, keyOfTask } from './task-store.ts';
import { createTaskWriter, type PackSteps } from './task-writer.ts';
import { createWorker, type Worker } from './worker.ts';

/** Queued runs: accepted here, executed by a worker of this process or another. */
export interface TaskQueue {
  /** Throws when no run can be accepted now. */
  admit(): void;
  /** Resolves once the run is accepted and queued. */
  accept(enqueued: Enqueued): Promise<void>;
  /** The same; where this process has a free slot, it takes the run in hand in the same commit. */
  acceptHere(enqueued: Enqueued): Promise<void>;
  /** Accepts runs in a transaction of their workspace: with a key, a batch, a tick. `wake` must come after its commit. */
  insert(transaction: Transaction, group: readonly Enqueued[]): Promise<void>;
  /** There may be work for this process or others. */
  wake(): void;
  /** Others say that there is work. */
  hear(): void;
  /** Ends a run that nobody has in hand; false where somebody has, or it has ended. */
  endQueued(row: FinishedRow, payload: Buffer | null): Promise<boolean>;
  /** The run as this process executes it. */
  find(workspace: string, id: string): Drive | undefined;
  readonly running: number;
  /** Why nothing can be accepted, or null. */
  fault(): string | null;
  /** Claims no more; what runs may end within `milliseconds`, the rest is handed back. */
  drain(milliseconds: number): Promise<void>;
  /** After `drain`: writes what waits and closes. */
  stop(): Promise<void>;
}

export interface TaskQueueOptions extends Omit<ExecuteParts, 'writer' | 'ports'> {
  readonly database: Database;
  readonly registry: ProcessRegistry;
  readonly packSteps: PackSteps;
  readonly readSteps: (claim: Claim) => Promise<readonly StepRecord[]>;
  /** 0: this process executes none. */
  readonly slots: number;
  readonly workspaceLimit: number;
  /** Tells other processes that there is work. */
  readonly announce: () => void;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Milliseconds for writing what is left at the end. */
const writeWithin = 5_000;

export function createTaskQueue(options: TaskQueueOptions): TaskQueue {
  const { database, registry, clock, log, announce } = options;
  const connect = () => database.dedicated('worker');
  const writer = createTaskWriter({ connect, packSteps: options.packSteps, clock, log });
  const { runs, random, readSteps } = options;
  const kept = createRunPorts({ writer, readSteps, toRecord: (claim, end) => runs.toRecord(claim, end) });
  const parts: ExecuteParts = { ...options, writer, ports: { ...kept, provider: runs.provider, clock, random } };
  const claimer = createClaimer(connect);
  const recent = createRecentTasks(clock);
  const worker: Worker | undefined =
    options.slots === 0
      ? undefined
      : createWorker({
          ...options,
          claimer,
          recent,
          execute: (task, leaving) => executeTask(parts, task, leaving),
          onWork: announce,
        });

  /** A run that starts later is claimed by whoever is there then. */
  const remember = (enqueued: Enqueued) => {
    const { ready_at } = enqueued.task;
    const soon = ready_at === null || Date.parse(ready_at) <= clock.now();
    if (worker && soon) recent.keep(enqueued);
    return soon;
  };
  const wake = () => {
    if (worker && worker.free > 0) worker.wake();
    else announce();
  };
  return {
    admit: () => writer.admit(),
    async accept(enqueued) {
      const soon = remember(enqueued);
      await writer.accept(enqueued);
      if (soon) wake();
    },
    async acceptHere(enqueued) {
      const { row, task } = enqueued;
      const slot = worker?.reserve(keyOfTask(row.workspace, row.id)) ?? null;
      try {
        await writer.accept({ ...enqueued, owner: slot && registry.id });
      } catch (error) {
        slot?.free();
        throw error;
      }
      if (!slot) return wake();
      const claim: Claim = {
        workspace: row.workspace,
        id: row.id,
        token: 1n,
        deliveries: 0,
        now: clock.now() + (worker?.ahead ?? 0),
        deadline: task.deadline === null ? null : Date.parse(task.deadline),
        calling: [],
        stepped: false,
      };
      slot.start({ claim, row, lane: task.lane, request: task.request });
    },
    async insert(transaction, group) {
      await insertTasks(transaction, group);
      for (const enqueued of group) remember(enqueued);
    },
    wake,
    hear: () => worker?.wake(),
    endQueued: async (row, payload) => (await writer.end({ token: null, row, payload, done: [] })) === 'held',
    find: (workspace, id) => worker?.find(workspace, id),
    get running() {
      return worker?.running ?? 0;
    },
    fault() {
      try {
        writer.admit();
        return null;
      } catch (error) {
        return (error as Error).message;
      }
    },
    drain: async (milliseconds) => worker?.drain(milliseconds),
    async stop() {
      await claimer.close();
      const left = await writer.stop(writeWithin);
      if (left > 0) log.error('Queued runs were left unwritten at the end', { rows: left });
    },
  };
}
