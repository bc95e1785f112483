import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Run } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext, EventSink } from '#platform/call.ts';
import { cancelRun } from './cancel-run.ts';
import { followFrom } from './follow-run.ts';
import { sealPlan } from './plan-queued-run.ts';
import type { RunPlan } from './plan-run.ts';
import { acceptWithin } from './queue-run.ts';
import type { RunParts } from './run-parts.ts';
import type { StartOptions, StartRequest } from './start-request.ts';
import { withDeprecation } from './with-deprecation.ts';

/** Nobody reads along: only the end counts. */
const nobodyReads: EventSink = { emit: () => true, drained: () => Promise.resolve() };

/** Milliseconds before the caller's deadline by which the run must have ended. */
const reserve = 1_000;

/** Runs a chain whose caller waits: it is queued, so that it survives, and taken in hand here where there is room. */
export async function runChain(
  parts: RunParts,
  context: CallContext,
  input: StartRequest,
  plan: RunPlan,
  { claim, rerunOf }: StartOptions,
): Promise<Run> {
  const { queue, clock } = parts;
  queue.admit();
  const now = clock.now();
  const within = Math.min(input.timeout_ms ?? Number.POSITIVE_INFINITY, context.deadline - now - reserve);
  const deadline = new Date(now + Math.max(within, 1)).toISOString();
  const options = { attended: true, ...(rerunOf === undefined ? {} : { rerunOf }) } as const;
  const enqueued = await sealPlan(parts, context, { ...input, deadline }, plan, options);
  const { id } = enqueued.row;
  if (claim) {
    await claim.accept(enqueued.row, enqueued);
    queue.wake();
  } else await acceptWithin(parts, id, queue.acceptHere(enqueued));
  const told = withDeprecation({ ...context, sink: context.sink ?? nobodyReads }, plan.deprecated);
  const stays = (input.on_disconnect ?? (claim ? 'continue' : 'cancel')) === 'continue';
  const cancel = () => void cancelRun(parts, context.workspace, id).catch(() => undefined);
  const left = () => {
    if (stays) return;
    // Its caller is one of its readers.
    const readers = parts.engine.live.find(context.workspace, id)?.readers;
    if (readers && readers.size > 1) readers.whenLeft(cancel);
    else cancel();
  };
  context.signal.addEventListener('abort', left, { once: true });
  try {
    if (context.signal.aborted) left();
    const run = await followFrom(parts, told, id, { bytes: 0, accepted: false, caller: true });
    if (context.sink === undefined && run.error !== null) throw toError(run, run.error);
    return plan.deprecated ? { ...run, deprecated: plan.deprecated } : run;
  } finally {
    context.signal.removeEventListener('abort', left);
  }
}

function toError({ id }: Run, { code, detail }: { code: ErrorCode; detail: string }): AppError {
  return new AppError(code, detail, { runId: id });
}
