import type { Run } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Enqueued } from '../queue/task-record.ts';
import { planQueuedRun } from './plan-queued-run.ts';
import { readRun, toOpenRun } from './read-run.ts';
import type { RunParts } from './run-parts.ts';
import type { StartOptions, StartRequest } from './start-request.ts';

/** Accepts a run that a worker executes later. It is answered once its acceptance is committed. */
export async function queueRun(
  parts: RunParts,
  context: CallContext,
  input: StartRequest,
  { claim, rerunOf }: StartOptions,
): Promise<Run> {
  parts.queue.admit();
  const { enqueued, deprecated } = await planQueuedRun(parts, context, input, rerunOf === undefined ? {} : { rerunOf });
  const { row } = enqueued;
  if (claim) {
    await claim.accept(row, enqueued);
    parts.queue.wake();
  } else await acceptWithin(parts, row.id, parts.queue.accept(enqueued));
  const run = toOpenRun(row, toFacts(enqueued, row.accepted_at));
  return deprecated ? { ...run, deprecated } : run;
}

/** The run of a key once more, as it is now: it is never waited for. */
export async function answerAgain(parts: RunParts, { workspace }: CallContext, id: string): Promise<Run> {
  return { ...(await readRun(parts, workspace, id)), replayed: true };
}

/** Waits for a commit for as long as a caller may. */
export async function acceptWithin({ clock, engine }: RunParts, run: string, accepted: Promise<void>): Promise<void> {
  let giveUp: () => void = () => undefined;
  const late = new Promise<'late'>((resolve) => {
    giveUp = () => resolve('late');
  });
  const timer = clock.after(engine.recordWithin, giveUp);
  const outcome = await Promise.race([accepted, late]).finally(() => timer.cancel());
  if (outcome !== 'late') return;
  accepted.catch(() => undefined);
  throw new AppError(
    'unrecorded',
    'Whether the run was accepted is not known, and it may still be executed. Look it up before you send it again.',
    { runId: run },
  );
}

function toFacts({ task }: Enqueued, now: string) {
  const { lane, ready_at, deadline } = task;
  return { state: 'queued' as const, lane, ready_at: ready_at ?? now, deadline, deliveries: 0, why: null };
}
