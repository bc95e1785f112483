import type { Run } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { readRun } from './read-run.ts';
import { replayText } from './replay-text.ts';
import type { RunParts } from './run-parts.ts';

/**
 * The answer of a run that has ended, once more and in the same form: its failure is thrown, a stream is streamed.
 * Errors: `idempotency_in_progress` while it has not ended.
 */
export async function replayRun(parts: RunParts, context: CallContext, id: string): Promise<Run> {
  const run: Run = { ...(await readRun(parts, context.workspace, id)), replayed: true };
  if (run.finished_at === null) {
    throw new AppError(
      'idempotency_in_progress',
      'The run of this Idempotency-Key has not ended. Wait and send the same again, or read along at /v1/runs/{run}/events.',
      { runId: id, retryAfterSeconds: 1 },
    );
  }
  if (context.sink) {
    const { pattern, version, model } = run;
    context.sink.emit('run.accepted', 0, { id, pattern, version, model });
    const bytes = await replayText(parts.engine, context, context.sink, run.output ?? '');
    context.sink.emit(`run.${run.status}`, bytes, run);
    return run;
  }
  if (run.error === null) return run;
  throw new AppError(run.error.code, run.error.detail, { runId: id, replayed: true });
}
