import type { InputOf } from '@damask/contracts/operation.ts';
import type { Run } from '@damask/contracts/run.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { isChain } from '../chain/pin-chain.ts';
import { toWish } from '../routing/wish.ts';
import { cacheKeyOf, routeToAnswer } from './cached-run.ts';
import type { Execution, RunClaim } from './engine.ts';
import { fitPlan } from './fit-plan.ts';
import type { AskedOptions, Payload } from './payloads.ts';
import { planRun, type RunPlan } from './plan-run.ts';
import { executeWithin } from './reserve-run.ts';
import { runChain } from './run-chain.ts';
import { runInSession } from './run-in-session.ts';
import type { RunParts } from './run-parts.ts';
import { withDeprecation } from './with-deprecation.ts';

export type StartRequest = Omit<InputOf<(typeof runOperations)['createRun']>, 'idempotency_key'>;

/** What a run has beyond its request. */
export interface StartOptions {
  readonly claim?: RunClaim | undefined;
  readonly rerunOf?: string | undefined;
}

/** Plans a run, finds its model and executes it. `claim` makes it the one run of its key. */
export async function startRun(
  parts: RunParts,
  context: CallContext,
  input: StartRequest,
  { claim, rerunOf }: StartOptions,
): Promise<Run> {
  const { router, engine } = parts;
  const { model, subject } = input;
  refuseSchedule(input);
  const plan = await planRun(parts, context.workspace, input);
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
      : await runInSession(parts.conversation, context, input.session, execution, execute);
  if (key && plan.version.cache && !cached) parts.answers.put(workspace, key, run, plan.version.cache.ttl_seconds);
  return plan.deprecated ? { ...run, deprecated: plan.deprecated } : run;
}

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

/** What the request asks for, or the platform's own; never more than the pattern allows. Milliseconds. */
export function timeoutOf(
  { defaultTimeout }: Pick<RunParts, 'defaultTimeout'>,
  { version }: Pick<RunPlan, 'version'>,
  asked: number | undefined,
): number {
  return Math.min(asked ?? defaultTimeout, version.limits.timeout_ms ?? Number.POSITIVE_INFINITY);
}

type KeptFields = Pick<
  StartRequest,
  'subject' | 'model' | 'parameters' | 'language' | 'tools' | 'tool_choice' | 'tool_turns'
>;

/** What is kept of a request beside its texts; nothing where it left all to the version. */
export function keptOf(input: KeptFields): Pick<Payload, 'subject' | 'asked'> {
  return input.subject === undefined && !asksForMore(input) ? {} : toKept(input);
}

/** Whether the request takes anything out of the version's hands. */
function asksForMore({ model, parameters, language, tools, tool_choice, tool_turns }: KeptFields): boolean {
  return (model ?? parameters ?? language ?? tools ?? tool_choice ?? tool_turns) !== undefined;
}

/** What is undefined is left out: JSON and columns then have no place for it. */
function toKept({ subject, model, parameters, language, tools, tool_choice, tool_turns }: KeptFields) {
  const asked: AskedOptions = {};
  if (model !== undefined) asked.model = model;
  if (parameters !== undefined) asked.parameters = parameters;
  if (language !== undefined) asked.language = language;
  if (tools !== undefined) asked.tools = tools;
  if (tool_choice !== undefined) asked.tool_choice = tool_choice;
  if (tool_turns !== undefined) asked.tool_turns = tool_turns;
  return subject === undefined ? { asked } : { asked, subject };
}
