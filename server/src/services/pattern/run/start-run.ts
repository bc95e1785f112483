import type { InputOf } from '@damask/contracts/operation.ts';
import type { Run, runOperations } from '@damask/contracts/run.ts';
import type { CallContext } from '#platform/call.ts';
import { toWish } from '../routing/wish.ts';
import type { RunClaim } from './claim-run.ts';
import type { Execution } from './engine.ts';
import { executeRun } from './execute-run.ts';
import { planRun } from './plan-run.ts';
import { runInSession } from './run-in-session.ts';
import type { RunParts } from './run-parts.ts';

export type StartRequest = Omit<InputOf<(typeof runOperations)['createRun']>, 'idempotency_key'>;

/** Plans a run, finds its model and executes it. `claim` makes it the one run of its key. */
export async function startRun(
  parts: RunParts,
  context: CallContext,
  input: StartRequest,
  claim: RunClaim | undefined,
): Promise<Run> {
  const { router, engine } = parts;
  const plan = await planRun(parts, context.workspace, input);
  const route = await router.route(context.workspace, toWish(input.model, plan.version));
  const execution: Execution = {
    plan,
    route,
    input: input.input,
    variables: input.variables ?? {},
    strategy: input.strategy ?? null,
    background: input.context ?? null,
    session: input.session ?? null,
    metadata: input.metadata ?? {},
    // Who has a key comes back for the answer.
    onDisconnect: input.on_disconnect ?? (claim ? 'continue' : 'cancel'),
    timeoutMs: Math.min(input.timeout_ms ?? parts.defaultTimeout, context.deadline - engine.clock.now()),
    ...(claim ? { claim } : {}),
  };
  if (input.session === undefined) return executeRun(engine, context, execution);
  return runInSession(parts.conversation, context, input.session, execution, (inSession) =>
    executeRun(engine, context, inSession),
  );
}
