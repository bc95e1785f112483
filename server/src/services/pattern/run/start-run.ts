import type { Run } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { isChain } from '../chain/pin-chain.ts';
import { toWish } from '../routing/wish.ts';
import { cacheKeyOf, routeToAnswer } from './cached-run.ts';
import type { Execution } from './engine.ts';
import { fitPlan } from './fit-plan.ts';
import { planRun, type RunPlan } from './plan-run.ts';
import { executeWithin } from './reserve-run.ts';
import { runChain } from './run-chain.ts';
import { runInSession } from './run-in-session.ts';
import type { RunParts } from './run-parts.ts';
import { asksForMore, type StartOptions, type StartRequest, takeSubject, timeoutOf, toKept } from './start-request.ts';
import { withDeprecation } from './with-deprecation.ts';

/** Plans a run, finds its model and executes it. `claim` makes it the one run of its key. */
export async function startRun(
  parts: RunParts,
  context: CallContext,
  asked: StartRequest,
  { claim, rerunOf }: StartOptions,
): Promise<Run> {
  const { router, engine } = parts;
  const sent = takeSubject(asked);
  refuseSchedule(sent);
  const plan = await planRun(parts, context.workspace, sent);
  const input: StartRequest = plan.given === sent ? sent : { ...sent, ...plan.given };
  const { model, subject } = input;
  if (input.session !== undefined && plan.version.store === 'none') throw storesNothing;
  if (isChain(plan.version)) return runChain(parts, context, input, plan, { claim, rerunOf });
  const { workspace } = context;
  const wish = toWish(model, plan.version);
  const key = plan.version.cache && (await cacheKeyOf(parts, workspace, input, plan, wish));
  const cached = key && input.cache !== 'refresh' ? parts.answers.find(workspace, key) : undefined;
  const cachedFrom = cached?.run;
  const route = cached ? routeToAnswer(cached) : await router.route(workspace, wish);
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
    timeoutMs: timeLeft(parts, context, plan, input.timeout_ms),
    ...(claim ? { claim } : {}),
    ...((rerunOf ?? subject ?? cachedFrom) === undefined ? {} : { marks: { subject, rerunOf, cachedFrom } }),
    ...(subject === undefined && !asksForMore(input) ? {} : { kept: toKept(input) }),
  };
  const told = withDeprecation(context, plan.deprecated);
  const execute = async (ready: Execution) => {
    const fitted = fitPlan(parts, context.workspace, route.name, ready.plan);
    return executeWithin(parts.limits, engine, told, fitted === ready.plan ? ready : { ...ready, plan: await fitted });
  };
  const run =
    input.session === undefined
      ? await execute(execution)
      : await runInSession(
          { ...parts.conversation, threads: engine.threads },
          context,
          input.session,
          execution,
          execute,
        );
  if (key && plan.version.cache && !cached) parts.answers.put(workspace, key, run, plan.version.cache.ttl_seconds);
  return plan.deprecated ? { ...run, deprecated: plan.deprecated } : run;
}

const storesNothing = new AppError(
  'policy_refused',
  'The pattern says store: none, and a session keeps what is said. Leave the session out, or run another pattern.',
  { pointer: '/session' },
);

/** Who waits has no use for these. */
function refuseSchedule({ start_at, deadline, priority }: StartRequest): void {
  if ((start_at ?? deadline ?? priority) === undefined) return;
  const field = start_at !== undefined ? 'start_at' : deadline !== undefined ? 'deadline' : 'priority';
  throw new AppError('invalid_request', 'Only asynchronous runs have this. Say mode: async, or leave it out.', {
    pointer: `/${field}`,
  });
}

/** Milliseconds below which no call to a model is begun: it would only be cut off, and charged. */
const leastTime = 50;

/** Milliseconds that the call may take. Throws `timeout` when the caller's deadline leaves too few. */
function timeLeft(parts: RunParts, context: CallContext, plan: RunPlan, asked: number | undefined): number {
  const left = Math.min(timeoutOf(parts, plan, asked), context.deadline - parts.engine.clock.now());
  if (left >= leastTime) return left;
  throw new AppError('timeout', 'Too little time is left for a call to a model, so none was made. Allow more time.');
}
