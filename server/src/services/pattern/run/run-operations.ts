import type { runOperations } from '@damask/contracts/run.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { Implementation } from '#platform/call.ts';
import { describeAttachments } from '../conversation/attach.ts';
import type { Execution } from './engine.ts';
import { executeRun } from './execute-run.ts';
import { listRuns } from './list-runs.ts';
import { planRun } from './plan-run.ts';
import { summarizeAccepted, summarizeFinished } from './record.ts';
import { previewTurns, runInSession, withTurns } from './run-in-session.ts';
import type { RunParts } from './run-parts.ts';
import { readAccepted, readFinished } from './store.ts';

export function createRunOperations(parts: RunParts): Implementation<typeof runOperations> {
  const { database, router, engine } = parts;
  const { clock } = engine;
  return {
    async createRun(context, input) {
      const plan = await planRun(parts, context.workspace, input);
      const route = await router.route(context.workspace, plan.model);
      const execution: Execution = {
        plan,
        route,
        input: input.input,
        variables: input.variables ?? {},
        strategy: input.strategy ?? null,
        background: input.context ?? null,
        session: input.session ?? null,
        metadata: input.metadata ?? {},
        onDisconnect: input.on_disconnect ?? 'cancel',
        timeoutMs: Math.min(input.timeout_ms ?? parts.defaultTimeout, context.deadline - clock.now()),
      };
      if (input.session === undefined) return executeRun(engine, context, execution);
      return runInSession(parts.conversation, context, input.session, execution, (inSession) =>
        executeRun(engine, context, inSession),
      );
    },

    async renderRun(context, input) {
      const plan = await planRun(parts, context.workspace, input);
      const turns = input.session === undefined ? [] : await previewTurns(parts.conversation, context, input.session);
      if (input.model !== undefined) router.requireOffer(context.workspace, input.model);
      return {
        pattern: plan.pattern,
        version: plan.version.number,
        digest: plan.version.digest,
        model: plan.model ?? router.defaultName(context.workspace),
        parameters: plan.parameters,
        messages: [...withTurns(plan, turns).messages],
      };
    },

    listRuns: (context, input) => listRuns(parts, context, input),

    async readRun(context, { run: id }) {
      const scope = { role: 'pattern', workspace: context.workspace };
      const found = await database.transaction(scope, async (transaction) => {
        const finished = await readFinished(transaction, id);
        return { finished, accepted: finished ? undefined : await readAccepted(transaction, id) };
      });
      const { finished, accepted } = found;
      if (!finished) {
        if (!accepted) throw notFound();
        return {
          ...summarizeAccepted(accepted),
          attempts: [],
          sanitised: false,
          input: null,
          variables: {},
          attachments: [],
          output: null,
        };
      }
      const { payload, ...row } = finished;
      // Outside the transaction: the key may have to be read, which takes a connection of its own.
      const texts = payload ? await engine.payloads.open(row, payload) : { input: null, variables: {}, output: null };
      const attachments = describeAttachments('attachments' in texts ? texts.attachments : undefined);
      return {
        ...summarizeFinished(row),
        attempts: [...row.attempts],
        sanitised: row.sanitised,
        ...texts,
        attachments,
      };
    },

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
          'The process that executes this run does not answer. It is declared dead within 15 seconds, and the run ends then.',
          { runId: id, retryAfterSeconds: 15 },
        );
      });
    },
  };
}
