import type { runOperations } from '@damask/contracts/run-operations.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { Implementation } from '#platform/call.ts';
import { runOnce } from './claim-run.ts';
import { fitPlan } from './fit-plan.ts';
import { followRun } from './follow-run.ts';
import { listRuns } from './list-runs.ts';
import { planRun } from './plan-run.ts';
import { readRun } from './read-run.ts';
import { summarizeAccepted } from './record.ts';
import { rerunRun } from './rerun-run.ts';
import { previewTurns, withTurns } from './run-in-session.ts';
import type { RunParts } from './run-parts.ts';
import { startRun } from './start-run.ts';
import { readAccepted, readFinished } from './store.ts';

export function createRunOperations(parts: RunParts): Implementation<typeof runOperations> {
  const { database, router, engine } = parts;
  return {
    createRun: (context, input) =>
      runOnce(parts, context, 'createRun', input, (claim, request) =>
        startRun(parts, context, request, claim ? { claim } : {}),
      ),

    rerunRun: (context, input) => rerunRun(parts, context, input),

    async renderRun(context, input) {
      const plan = await planRun(parts, context.workspace, input);
      const turns = input.session === undefined ? [] : await previewTurns(parts.conversation, context, input.session);
      if (input.model !== undefined) router.requireOffer(context.workspace, input.model);
      const model = plan.model ?? router.defaultName(context.workspace);
      const { messages } = await fitPlan(parts, context.workspace, model, withTurns(plan, turns));
      return {
        pattern: plan.pattern,
        version: plan.version.number,
        digest: plan.version.digest,
        model,
        parameters: plan.parameters,
        messages: [...messages],
        includes: plan.version.includes,
        deprecated: plan.deprecated,
      };
    },

    listRuns: (context, input) => listRuns(parts, context, input),

    readRun: (context, { run }) => readRun(parts, context.workspace, run),

    async retryRun() {
      throw notFound();
    },

    async decideRun() {
      throw notFound();
    },

    streamRun: (context, input) => followRun(parts, context, input),

    async cancelRun(context, { run: id }) {
      const live = engine.live.find(context.workspace, id);
      if (live) {
        live.stop('run_cancelled', 'The run was cancelled on request.');
        return summarizeAccepted(live.row);
      }
      return database.transaction({ role: 'pattern', workspace: context.workspace }, async (transaction) => {
        const finished = await readFinished(transaction, id);
        if (finished) {
          throw new AppError('run_finished', `The run has already ended: ${finished.status}.`, { runId: id });
        }
        if (!(await readAccepted(transaction, id))) throw notFound();
        throw new AppError(
          'unavailable',
          'Another process executes this run, and it is cancelled only there. If that process has died, the run ends within half a minute.',
          { runId: id, retryAfterSeconds: 15 },
        );
      });
    },
  };
}
