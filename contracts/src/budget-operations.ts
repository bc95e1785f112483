import { type Static, Type } from 'typebox';
import { MicroUnits, Name, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';

/** Largest limits: a billion dollars, and as many tokens as a number holds exactly. */
const mostMicros = 1_000_000_000_000_000;
const mostTokens = 1_000_000_000_000_000;

export const BudgetCovers = Type.Union(
  [Type.Literal('workspace'), Type.Literal('key'), Type.Literal('pattern'), Type.Literal('environment')],
  { description: 'What it limits: all runs of the workspace, or those of one API key, pattern or environment.' },
);
export type BudgetCovers = Static<typeof BudgetCovers>;

export const BudgetPeriod = Type.Union([Type.Literal('day'), Type.Literal('month')], {
  description: 'By UTC, from midnight to midnight; a call counts where it was reserved.',
});
export type BudgetPeriod = Static<typeof BudgetPeriod>;

const Limit = Type.Union([Type.Integer(), Type.Null()], { description: 'Null: no limit of this kind.' });

/** A limit of money or tokens, and how far it is used in the period that runs. */
export const Budget = Type.Object({
  name: Name,
  covers: BudgetCovers,
  of: Type.Union([Type.String(), Type.Null()], { description: 'Id of the key, or name; null for the workspace.' }),
  period: BudgetPeriod,
  limit_micros: Limit,
  limit_tokens: Limit,
  spent_micros: MicroUnits,
  spent_tokens: Type.Integer(),
  reserved_micros: Type.Integer({ description: 'What calls under way may still cost, and what processes hold ready.' }),
  reserved_tokens: Type.Integer(),
  left_micros: Limit,
  left_tokens: Limit,
  currency: Type.Literal('USD'),
  period_start: Time,
  resets_at: Time,
  updated_at: Time,
});
export type Budget = Static<typeof Budget>;

const byName = { budget: Name };

export const budgetOperations = {
  listBudgets: operation({
    method: 'GET',
    path: '/v1/budgets',
    permission: 'budget:read',
    summary: 'Budgets of the workspace by name, with what is spent, reserved and left',
    input: strict({ ...page }),
    output: pageOf(Budget),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  readBudget: operation({
    method: 'GET',
    path: '/v1/budgets/{budget}',
    permission: 'budget:read',
    summary: 'One budget with what is spent, reserved and left',
    input: strict(byName),
    output: Budget,
    status: 200,
    errors: ['not_found'],
  }),
  putBudget: operation({
    method: 'PUT',
    path: '/v1/budgets/{budget}',
    permission: 'budget:write',
    summary: 'Create a budget, or replace its limits; one that covers something else begins at nothing spent',
    input: strict({
      ...byName,
      covers: BudgetCovers,
      of: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 100,
          description: 'Id of the key, or name of the pattern or environment.',
        }),
      ),
      period: BudgetPeriod,
      limit_micros: Type.Optional(
        Type.Integer({ minimum: 1, maximum: mostMicros, description: 'Millionths of a US dollar.' }),
      ),
      limit_tokens: Type.Optional(
        Type.Integer({ minimum: 1, maximum: mostTokens, description: 'Tokens that go in and come out.' }),
      ),
    }),
    output: Budget,
    status: 200,
    errors: ['not_found', 'policy_refused'],
  }),
  deleteBudget: operation({
    method: 'DELETE',
    path: '/v1/budgets/{budget}',
    permission: 'budget:write',
    summary: 'Remove a budget; what it limited is limited no more',
    input: strict(byName),
    output: Budget,
    status: 200,
    errors: ['not_found'],
  }),
} satisfies Operations;
