import type { InputOf } from '@damask/contracts/operation.ts';
import type { Run } from '@damask/contracts/run.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { runOnce } from './claim-run.ts';
import { answerAgain, queueRun } from './queue-run.ts';
import { mergeRequest, readEnded } from './rerun-run.ts';
import type { RunParts } from './run-parts.ts';

/**
 * Queues what a failed or cancelled run was to run, once more and as a new run. Errors beside a run's own: `not_found`,
 * `run_not_failed`, `payload_gone`.
 */
export function retryRun(
  parts: RunParts,
  context: CallContext,
  input: InputOf<(typeof runOperations)['retryRun']>,
): Promise<Run> {
  return runOnce(
    parts,
    context,
    'retryRun',
    input,
    async (claim, { run, ...schedule }) => {
      const { row, payload } = await readEnded(parts, context.workspace, run, notFailed);
      if (row.status === 'succeeded') throw notFailed('The run succeeded. Rerun it, if it is to be run again.', run);
      if (row.session !== null) {
        throw new AppError(
          'invalid_request',
          'This run was a turn of a session, which goes on while its caller waits. Rerun it and name the session.',
          { pointer: '/run', runId: run },
        );
      }
      const request = mergeRequest(row, payload, { ...schedule, mode: 'async' });
      return queueRun(parts, context, request, { ...(claim ? { claim } : {}), rerunOf: run });
    },
    answerAgain,
  );
}

function notFailed(detail: string, runId: string): AppError {
  return new AppError('run_not_failed', detail, { runId });
}
