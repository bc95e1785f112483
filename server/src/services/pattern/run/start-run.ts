import type { InputOf } from '@damask/contracts/operation.ts';
import type { Run, runOperations } from '@damask/contracts/run.ts';
import type { CallContext } from '#platform/call.ts';
import { toWish } from '../routing/wish.ts';
import type { RunClaim } from './claim-run.ts';
import type { Execution } from './engine.ts';
import { executeRun } from './execute-run.ts';
import { fitPlan } from './fit-plan.ts';
import { planRun, type RunPlan } from './plan-run.ts';
import { runInSession } from './run-in-session.ts';
import type { RunParts } from './run-parts.ts';
import { withDeprecation } from './with-deprecation.ts';

export type StartRequest = Omit<InputOf<(typeof runOperations)['createRun']>, 'idempotency_key'>;

/** What a run has beyond its request. */
export interface StartOptions {
  readonly claim?: RunClaim;
  readonly rerunOf?: string;
}

/** Plans a run, finds its model and executes it. `claim` makes it the one run of its key. */
export async function startRun(
  parts: RunParts,
  context: CallContext,
  input: StartRequest,
  { claim, rerunOf }: StartOptions,
): Promise<Run> {
  const { router, engine } = parts;
  const { model, parameters, language, subject } = input;
  const plan = await planRun(parts, context.workspace, input);
  const route = await router.route(context.workspace, toWish(model, plan.version));
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
    timeoutMs: Math.min(timeoutOf(parts, plan, input.timeout_ms), context.deadline - engine.clock.now()),
    ...(claim ? { claim } : {}),
    ...(rerunOf === undefined && subject === undefined ? {} : { marks: withoutGaps({ subject, rerunOf }) }),
    ...(subject === undefined && model === undefined && parameters === undefined && language === undefined
      ? {}
      : { kept: withoutGaps({ subject, asked: withoutGaps({ model, parameters, language }) }) }),
  };
  const told = withDeprecation(context, plan.deprecated);
  const execute = async (ready: Execution) => {
    const fitted = fitPlan(parts, context.workspace, route.name, ready.plan);
    return executeRun(engine, told, fitted === ready.plan ? ready : { ...ready, plan: await fitted });
  };
  const run =
    input.session === undefined
      ? await execute(execution)
      : await runInSession(parts.conversation, context, input.session, execution, execute);
  return plan.deprecated ? { ...run, deprecated: plan.deprecated } : run;
}

/** What the request asks for, or the platform's own; never more than the pattern allows. Milliseconds. */
function timeoutOf({ defaultTimeout }: RunParts, { version }: RunPlan, asked: number | undefined): number {
  return Math.min(asked ?? defaultTimeout, version.limits.timeout_ms ?? Number.POSITIVE_INFINITY);
}

type Filled<Fields> = { readonly [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** What is undefined is left out: JSON and columns then have no place for it. */
function withoutGaps<Fields extends object>(fields: Fields): Filled<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Filled<Fields>;
}
