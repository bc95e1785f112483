import type { Claim, RunEnd, RunStore, StepRecord, WorkQueue } from '../engine/ports.ts';
import type { TaskRecord } from './task-runs.ts';
import type { TaskWriter } from './task-writer.ts';

export interface RunPortsOptions {
  readonly writer: TaskWriter;
  /** The record of a run's end, with its sealed texts. */
  readonly toRecord: (claim: Claim, end: RunEnd) => Promise<TaskRecord>;
  readonly readSteps: (claim: Claim) => Promise<readonly StepRecord[]>;
}

/** The engine's store and queue, on PostgreSQL. */
export function createRunPorts({ writer, toRecord, readSteps }: RunPortsOptions): {
  store: RunStore;
  queue: WorkQueue;
} {
  return {
    store: {
      steps: readSteps,
      checkpoint: (claim, progress) =>
        writer.change({ claim, state: 'running', ready_at: 'now', why: null, ...progress }),
      async finish(claim, end, done) {
        const { row, payload } = await toRecord(claim, end);
        return writer.end({ token: claim.token, row, payload, done });
      },
    },
    queue: {
      release: (claim, { readyAt, because, ...progress }) =>
        writer.change({ claim, state: 'queued', ready_at: toTime(readyAt, 'now'), why: because, ...progress }),
      wait: (claim, { why, until, ...progress }) =>
        writer.change({ claim, state: 'waiting', ready_at: toTime(until, 'infinity'), why, ...progress }),
    },
  };
}

const toTime = (milliseconds: number | null, otherwise: string) =>
  milliseconds === null ? otherwise : new Date(milliseconds).toISOString();
