import { AppError } from '#platform/app-error.ts';
import type { Log } from '#platform/log.ts';
import { drive } from '../engine/drive-run.ts';
import type { Claim, EnginePorts, RunEnd, StepError } from '../engine/ports.ts';
import type { Drive } from '../engine/work.ts';
import { unknownUsage } from '../model/model-call.ts';
import type { AcceptedRow } from '../run/record.ts';
import type { HeldTask } from './task-record.ts';
import type { OpenedTask, TaskRecord, TaskRuns } from './task-runs.ts';
import type { TaskWriter } from './task-writer.ts';

export interface ExecuteParts {
  readonly writer: TaskWriter;
  readonly runs: TaskRuns;
  readonly ports: EnginePorts;
  /** The record of an end without its texts, for a run whose request cannot be opened. */
  readonly sealBare: (row: AcceptedRow, end: RunEnd) => Promise<TaskRecord>;
  /** So many processes that died with a run are enough. */
  readonly giveUpAfter: number;
  readonly log: Log;
}

/** A run that this process executes. */
export interface TaskExecution {
  /** Undefined until its request is opened. */
  readonly drive: Drive | undefined;
  /** Comes when it is let go; rejects when the store does not tell what was kept. */
  readonly done: Promise<void>;
  handBack(): void;
  drop(): void;
}

const gaveUp =
  'Several processes died while they had this run in hand, so it is not tried any more. Find out why, then retry it.';
/** Milliseconds until a run is taken up again whose request could not be opened. */
const laterBy = 10_000;
/** The same where its key was destroyed on purpose. */
const nextDay = 86_400_000;

/** Opens a run that was claimed, and lets the engine take it on. `leaving` is told once only its end is left to be written. */
export function executeTask(parts: ExecuteParts, task: HeldTask, leaving: () => void = () => undefined): TaskExecution {
  let driven: Drive | undefined;
  let asked: 'handBack' | 'drop' | undefined;
  const leave = (how: 'handBack' | 'drop') => {
    asked ??= how;
    driven?.[how]();
  };

  async function execute(): Promise<void> {
    // Perhaps it is the opening that nobody survives.
    if (task.claim.deliveries > parts.giveUpAfter) return endBare(parts, task, 'gave_up', gaveUp);
    let opened: OpenedTask;
    try {
      opened = await parts.runs.open(task);
    } catch (error) {
      return putOff(parts, task, error);
    }
    try {
      const { refused } = opened;
      if (refused && !task.claim.stepped) {
        await endRefused(parts, task, refused);
        return opened.close(true);
      }
      driven = drive(parts.ports, task.claim, { ...opened.work, leaving });
      opened.begin(driven);
      // What its earlier steps answered and cost stays in its record.
      if (refused) driven.stop(refused.code, refused.detail);
      if (asked) driven[asked]();
      else if (task.claim.deliveries >= parts.giveUpAfter) driven.stop('gave_up', gaveUp);
      const { kind } = await driven.done;
      opened.close(kind === 'ended');
    } catch (error) {
      opened.close(false);
      throw error;
    }
  }

  return {
    get drive() {
      return driven;
    },
    done: execute(),
    handBack: () => leave('handBack'),
    drop: () => leave('drop'),
  };
}

/** What cannot be opened is not lost: once the key is there, it is run. */
async function putOff(parts: ExecuteParts, task: HeldTask, error: unknown): Promise<void> {
  const { claim } = task;
  if (claim.deadline !== null && claim.deadline <= claim.now) {
    return endBare(parts, task, 'timeout', 'The run could not be begun by its deadline.');
  }
  const why = error instanceof AppError ? error.message : 'It could not be begun.';
  parts.log.warn('A queued run could not be begun; it is tried again', { run: claim.id, error });
  const shredded = error instanceof AppError && error.code === 'workspace_shredded';
  const ready_at = new Date(claim.now + (shredded ? nextDay : laterBy)).toISOString();
  await parts.writer.change({ claim, state: 'queued', ready_at, why, done: [], calling: claim.calling });
}

/** With its texts, unlike what could not be opened. */
async function endRefused({ runs, writer }: ExecuteParts, { claim }: HeldTask, error: StepError) {
  const { row, payload } = await runs.toRecord(claim, bareEnd(claim, error));
  await writer.end({ token: claim.token, row, payload, done: [] });
}

async function endBare(parts: ExecuteParts, { claim, row }: HeldTask, code: 'gave_up' | 'timeout', detail: string) {
  const { row: record, payload } = await parts.sealBare(row, bareEnd(claim, { code, detail }));
  await parts.writer.end({ token: claim.token, row: record, payload, done: [] });
}

function bareEnd(claim: Claim, error: StepError): RunEnd {
  return {
    status: 'failed',
    error,
    stop_reason: null,
    output: '',
    model: '',
    usage: unknownUsage,
    cost_micros: claim.calling.length === 0 ? 0 : null,
    attempts: [],
    first_output_ms: null,
    total_ms: 0,
    sanitised: false,
  };
}
