import { AppError } from '#platform/app-error.ts';
import { type Amount, fits, type Limits } from './amount.ts';
import type { Change } from './plan-batch.ts';

/** Why a budget lets a call wait for the next period, or for the calls that are under way. */
export interface Refusal {
  readonly name: string;
  readonly resetsAt: Date;
  /** Until the period ends, by the database's clock. */
  readonly secondsLeft: number;
  /** Nothing but the next period helps; otherwise what calls under way do not use comes back. */
  readonly spent: boolean;
  /** What was not spent; infinite where there is no limit. */
  readonly left: Amount;
  /** It asks for more than a whole period has. */
  readonly never: boolean;
}

/** Seconds after which calls under way may have given back what they did not use. */
const soon = 5;

export function toRefusal({ row, spent }: Change, most: Amount): Refusal {
  const left = (limit: number | null, used: number) => (limit === null ? Number.POSITIVE_INFINITY : limit - used);
  const rest = {
    micros: left(row.limit_micros, row.spent_micros + spent.micros),
    tokens: left(row.limit_tokens, row.spent_tokens + spent.tokens),
  };
  return {
    name: row.name,
    resetsAt: row.resets_at,
    secondsLeft: row.seconds_left,
    spent: most.micros > rest.micros || most.tokens > rest.tokens,
    left: rest,
    never: exceeds(most, row),
  };
}

/** Whether no period of a budget has room for this amount. */
export function exceeds(most: Amount, limits: Limits): boolean {
  const { limit_micros: micros, limit_tokens: tokens } = limits;
  return !fits(most, { micros: micros ?? 0, tokens: tokens ?? 0 }, limits);
}

export function toBudgetError({ name, resetsAt, secondsLeft, spent, never }: Refusal): AppError {
  const reset = `${resetsAt.toISOString().slice(0, 19)}Z`;
  if (never) {
    return new AppError(
      'budget_exceeded',
      `This run may take more than the budget ${name} has in all, also when it begins anew at ${reset}. Allow fewer max_tokens, send less, or raise the limit.`,
      { retryAfterSeconds: Math.max(1, Math.ceil(secondsLeft)), resetAt: reset, final: true },
    );
  }
  return new AppError(
    'budget_exceeded',
    spent
      ? `The budget ${name} does not pay for this run any more; it begins anew at ${reset}. Wait until then, send less, allow fewer max_tokens, or raise the limit.`
      : `What is left of the budget ${name} is reserved by runs under way. Try again when they have ended; it begins anew at ${reset}.`,
    { retryAfterSeconds: spent ? Math.max(1, Math.ceil(secondsLeft)) : soon, resetAt: reset },
  );
}

export function priceUnknown(budget: string, model: string): AppError {
  return new AppError(
    'price_unknown',
    `The budget ${budget} limits money, and the price of ${model} is not known. Enter input_price and output_price of the model at its provider, use another model, or limit tokens instead.`,
    { pointer: '/model' },
  );
}
