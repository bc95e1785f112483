import { systemClock } from '#platform/clock.ts';
import type { AcceptedRow, FinishedRow } from '../run/record.ts';
import { toUnfinished } from '../run/unfinished.ts';
import type { Enqueued, NewTask } from './task-record.ts';

/** An acceptance as the tables take it. */
export function acceptedRow(workspace: string = systemClock.uuid()): AcceptedRow {
  return {
    workspace,
    id: systemClock.uuid(),
    process: systemClock.uuid(),
    accepted_at: new Date(systemClock.now()).toISOString(),
    pattern: 'summarize',
    version: 1,
    digest: 'sha256:test',
    environment: 'development',
    label: null,
    strategy: null,
    context: null,
    session: null,
    language: null,
    model: 'fake/model',
    stream: false,
    actor: systemClock.uuid(),
    metadata: {},
  };
}

/** A run to be queued. */
export function enqueued(task: Partial<NewTask> = {}, workspace?: string, owner: string | null = null): Enqueued {
  const row = acceptedRow(workspace);
  return {
    row,
    owner,
    task: {
      lane: 'interactive',
      priority: 0,
      provider: 'fake',
      model: 'fake/model',
      batch: null,
      ready_at: null,
      deadline: null,
      request: Buffer.from('sealed request'),
      ...task,
    },
  };
}

/** A success of it. */
export function finishedRow(row: AcceptedRow): FinishedRow {
  return {
    ...toUnfinished(row, systemClock.now(), 'internal', ''),
    status: 'succeeded',
    error_code: null,
    error_detail: null,
  };
}
