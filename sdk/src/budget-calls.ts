import { allItems } from './all-items.ts';
import type * as api from './generated.ts';
import type { CallOptions } from './open-operation.ts';

type Call = <Name extends api.OperationName>(
  name: Name,
  input: api.OperationTypes[Name]['input'],
  options?: CallOptions,
) => Promise<api.OperationTypes[Name]['output']>;

export function budgetCalls(call: Call) {
  return {
    /** One page of budgets by name, with what is spent, reserved and left. */
    list: (input: api.ListBudgetsInput = {}, options?: CallOptions) => call('listBudgets', input, options),
    /** All budgets by name. */
    listAll: (input: Omit<api.ListBudgetsInput, 'cursor'> = {}, options?: CallOptions) =>
      allItems((cursor) => call('listBudgets', { limit: 200, ...input, cursor }, options)),
    /** One budget. */
    read: (input: api.ReadBudgetInput, options?: CallOptions) => call('readBudget', input, options),
    /** Creates a budget or replaces its limits. Throws `not_found` for a pattern that there is not. */
    put: (input: api.PutBudgetInput, options?: CallOptions) => call('putBudget', input, options),
    /** Removes a budget. */
    delete: (input: api.DeleteBudgetInput, options?: CallOptions) => call('deleteBudget', input, options),
  };
}
