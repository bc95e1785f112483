import type { runOperations } from '@damask/contracts/run-operations.ts';
import type { Implementation } from '#platform/call.ts';
import { listRunSteps } from '../chain/list-run-steps.ts';
import { isChain } from '../chain/pin-chain.ts';
import { cancelRun } from './cancel-run.ts';
import { runOnce } from './claim-run.ts';
import { decideRun } from './decide-run.ts';
import type { RunClaim } from './engine.ts';
import { fitPlan } from './fit-plan.ts';
import { followRun } from './follow-run.ts';
import { listRuns } from './list-runs.ts';
import { planRun } from './plan-run.ts';
import { answerAgain, queueRun } from './queue-run.ts';
import { readRun } from './read-run.ts';
import { renderChain } from './render-chain.ts';
import { replayRun } from './replay-run.ts';
import { rerunRun } from './rerun-run.ts';
import { retryRun } from './retry-run.ts';
import { previewTurns, withTurns } from './run-in-session.ts';
import type { RunParts } from './run-parts.ts';
import type { StartRequest } from './start-request.ts';
import { startRun } from './start-run.ts';

export function createRunOperations(parts: RunParts): Implementation<typeof runOperations> {
  const { router } = parts;
  return {
    createRun(context, input) {
      const start = (claim: RunClaim | undefined, request: StartRequest) =>
        request.mode === 'async'
          ? queueRun(parts, context, request, { claim })
          : startRun(parts, context, request, { claim });
      return runOnce(parts, context, 'createRun', input, start, input.mode === 'async' ? answerAgain : replayRun);
    },

    rerunRun: (context, input) => rerunRun(parts, context, input),

    async renderRun(context, input) {
      const plan = await planRun(parts, context.workspace, input);
      if (isChain(plan.version)) return renderChain(parts, context.workspace, input, plan);
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

    listRunSteps: (context, input) => listRunSteps(parts, context, input),

    retryRun: (context, input) => retryRun(parts, context, input),

    decideRun: (context, input) => decideRun(parts, context, input),

    streamRun: (context, input) => followRun(parts, context, input),

    cancelRun: ({ workspace }, { run }) => cancelRun(parts, workspace, run),
  };
}
