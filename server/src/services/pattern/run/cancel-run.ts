import type { RunSummary } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { RunEnd } from '../engine/ports.ts';
import { unknownUsage } from '../model/model-call.ts';
import { sealEnd } from './end-queued-run.ts';
import { openRequest } from './queued-request.ts';
import { findRun } from './read-run.ts';
import { summarizeAccepted, summarizeFinished } from './record.ts';
import type { RunParts } from './run-parts.ts';
import { askOf, cancelled } from './run-signals.ts';
import { readUnbegun, wakeTask } from './task-facts-store.ts';

const looks = 3;

/**
 * Stops a run, whichever process executes it: what nobody has begun ends at once, the rest as soon as its process hears of it.
 * Errors: `not_found`, `run_finished`.
 */
export async function cancelRun(parts: RunParts, workspace: string, id: string): Promise<RunSummary> {
  const { engine, database, queue } = parts;
  const live = engine.live.find(workspace, id);
  if (live) {
    live.stop('run_cancelled', cancelled);
    return summarizeAccepted(live.row);
  }
  for (let look = 1; ; look++) {
    const { accepted, task, unbegun } = await database.transaction(
      { role: 'pattern', workspace },
      async (transaction) => {
        const found = await findRun(transaction, id);
        if (found.finished) {
          throw new AppError('run_finished', `The run has already ended: ${found.finished.status}.`, { runId: id });
        }
        const { accepted, task } = found;
        const request = look < looks ? await readUnbegun(transaction, id) : undefined;
        if (request) return { accepted, task, unbegun: request };
        // Whoever takes it up finds this, also when that is another one than has it now.
        await askOf(transaction, { workspace, run: id, kind: 'cancel', process: accepted.process });
        await wakeTask(transaction, id);
        return { accepted, task, unbegun: undefined };
      },
    );
    if (!unbegun) {
      queue.wake();
      return summarizeAccepted(accepted, task);
    }
    const request = await openRequest(parts.vault, accepted, unbegun).catch(() => null);
    const { row, payload } = await sealEnd(engine, accepted, request, neverBegun);
    if (await queue.endQueued(row, payload)) {
      engine.observe(row);
      return summarizeFinished(row);
    }
  }
}

const neverBegun: RunEnd = {
  status: 'cancelled',
  error: { code: 'run_cancelled', detail: cancelled },
  stop_reason: null,
  output: '',
  model: '',
  usage: unknownUsage,
  cost_micros: 0,
  attempts: [],
  first_output_ms: null,
  total_ms: 0,
  sanitised: false,
};
