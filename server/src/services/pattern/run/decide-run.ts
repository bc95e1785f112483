import type { InputOf } from '@damask/contracts/operation.ts';
import type { RunSummary } from '@damask/contracts/run.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { type AskedStep, keepDecision, lockAskedSteps } from '../engine/decision-store.ts';
import { sealComment } from '../engine/step-store.ts';
import { findRun } from './read-run.ts';
import { nobody, summarizeAccepted } from './record.ts';
import type { RunParts } from './run-parts.ts';
import { askOf } from './run-signals.ts';

type Input = InputOf<(typeof runOperations)['decideRun']>;

/** What answers which question. */
const answers: Readonly<Record<AskedStep['why'], readonly Input['decision'][]>> = {
  approval: ['approve', 'reject'],
  review: ['retry', 'fail'],
};

/** Decides what a run waits for. Errors: `not_found`, `run_finished`, `not_waiting`. */
export async function decideRun(parts: RunParts, context: CallContext, input: Input): Promise<RunSummary> {
  const { database, engine, vault, trail, queue } = parts;
  const { workspace, actor } = context;
  const { run, decision, comment } = input;
  await engine.payloads.ready(workspace);
  const decided = await database.transaction({ role: 'pattern', workspace }, async (transaction) => {
    const asked = await lockAskedSteps(transaction, run);
    const found = await findRun(transaction, run);
    if (found.finished) {
      throw new AppError('run_finished', `The run has already ended: ${found.finished.status}.`, { runId: run });
    }
    const { path } = chooseStep(asked ?? [], input);
    const sealed = comment === undefined ? null : await sealComment(vault, workspace, run, path, comment);
    await keepDecision(transaction, { run, path, decision, actor: actor.id, comment: sealed });
    // Other steps of it may be under way, here or elsewhere.
    await askOf(transaction, { workspace, run, kind: 'decided', process: nobody });
    await trail.leave(transaction, context, {
      action: 'decideRun',
      subject: `run/${run}`,
      details: { step: path, decision },
      event: 'pattern.run-decided',
      data: { run, step: path, decision },
    });
    return summarizeAccepted(found.accepted, found.task);
  });
  queue.wake();
  return decided;
}

function chooseStep(asked: readonly AskedStep[], { run, step, decision }: Input): AskedStep {
  const wanted = step === undefined ? asked : asked.filter(({ path }) => path === step);
  const [chosen, another] = wanted;
  if (!chosen) {
    const others = asked.map(({ path }) => path).join(', ');
    const detail = others
      ? `That step waits for no decision; these do: ${others}.`
      : 'The run waits for no decision now.';
    throw new AppError('not_waiting', detail, { runId: run });
  }
  if (another) {
    const names = wanted.map(({ path }) => path).join(', ');
    throw new AppError('invalid_request', `Several steps wait: ${names}. Name the one that is meant.`, {
      pointer: '/step',
      runId: run,
    });
  }
  const fitting = answers[chosen.why];
  if (fitting.includes(decision)) return chosen;
  throw new AppError('invalid_request', `It waits for ${chosen.why}: answer ${fitting.join(' or ')}.`, {
    pointer: '/decision',
    runId: run,
  });
}
