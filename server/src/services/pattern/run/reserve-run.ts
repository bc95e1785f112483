import type { Run } from '@damask/contracts/run.ts';
import type { CallContext } from '#platform/call.ts';
import type { Budgets, Reservation } from '../budget/budgets.ts';
import { type MostOfRun, mostOfRun } from '../budget/most-of-run.ts';
import type { EngineParts, Execution } from './engine.ts';
import { executeRun } from './execute-run.ts';

export interface LimitParts {
  readonly budgets: Budgets;
  /** Tokens that an answer may have where neither pattern nor request says. */
  readonly defaultMaxTokens: number;
  readonly clock: EngineParts['clock'];
}

/** Who runs what: a run's place among the budgets. */
export interface LimitedRun {
  readonly id: string;
  readonly workspace: string;
  /** Id of the API key. */
  readonly key: string;
  readonly queued: boolean;
  /** Of a run that is executed by a worker: its own pattern and environment, which those of a step may not be. */
  readonly of?: { readonly pattern: string; readonly environment: string | null };
}

/**
 * Takes what the calls of a run may cost at most of its budgets. Undefined where none covers it. Errors:
 * `budget_exceeded`, `price_unknown`.
 */
export function reserveRun(
  limits: LimitParts,
  { id, queued, of, ...who }: LimitedRun,
  execution: Pick<Execution, 'plan' | 'route'>,
): Reservation | undefined | Promise<Reservation | undefined> {
  const { pattern, environment } = execution.plan;
  const patterns = of && of.pattern !== pattern ? [of.pattern, pattern] : [pattern];
  return limits.budgets.reserve(
    { ...who, patterns, environment: of ? of.environment : environment },
    { run: id, queued, most: () => mostOfExecution(limits, execution) },
  );
}

/** What the calls of a run may take at most, whether or not a budget covers it. */
export function mostOfExecution(
  { defaultMaxTokens, clock }: Pick<LimitParts, 'defaultMaxTokens' | 'clock'>,
  { plan, route }: Pick<Execution, 'plan' | 'route'>,
): MostOfRun {
  const { messages, toolMessages, parameters, tools, version } = plan;
  const { type, schema } = version.output;
  return mostOfRun(
    {
      candidates: route.candidates,
      repeatUncertain: route.repeatUncertain,
      defaultMaxTokens,
      request: {
        messages: [...messages, ...toolMessages],
        parameters,
        tools,
        ...(type === 'json' ? { output: { type, ...(schema ? { schema } : {}) } } : {}),
      },
    },
    clock.now(),
  );
}

/** Executes a run within its budgets. A run that they refuse is recorded nowhere. Costs a look into memory where there are none. */
export async function executeWithin(
  limits: LimitParts,
  engine: EngineParts,
  context: CallContext,
  execution: Execution,
): Promise<Run> {
  const { workspace, actor } = context;
  // An answer from the cache calls nobody.
  if (!limits.budgets.limits(workspace) || execution.route.candidates.length === 0) {
    return executeRun(engine, context, execution);
  }
  const id = limits.clock.uuid();
  const reservation = await reserveRun(limits, { id, workspace, key: actor.id, queued: false }, execution);
  if (!reservation) return executeRun(engine, context, execution);
  try {
    return await executeRun(engine, context, { ...execution, id, reservation });
  } finally {
    reservation.release();
  }
}
