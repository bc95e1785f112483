import type { budgetOperations } from '@damask/contracts/budget-operations.ts';
import { notFound } from '#platform/app-error.ts';
import type { Implementation } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type BudgetParts, changeBudgets, toBudget } from './budget-parts.ts';
import { deleteBudget, listBudgets, lockBudgets, readBudget } from './budget-store.ts';
import { budgetsTopic } from './budget-table.ts';
import { putBudget } from './put-budget.ts';

/** Budgets. Inputs are checked and permissions asked for before they come here. */
export function createBudgetOperations(parts: BudgetParts): Implementation<typeof budgetOperations> {
  const { database, budgets, cursors, trail } = parts;
  return {
    /** By name. Errors: `invalid_cursor`. */
    async listBudgets({ workspace }, { limit = 50, cursor }) {
      const list = { list: 'listBudgets', workspace };
      const [after = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
      await budgets.settled(workspace);
      const rows = await database.transaction({ role: 'pattern', workspace }, (transaction) =>
        listBudgets(transaction, { after, limit: limit + 1 }),
      );
      const items = rows.slice(0, limit).map(toBudget);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: cursors.encode(list, [last.name]) } : { items };
    },

    /** Errors: `not_found`. */
    async readBudget({ workspace }, { budget: name }) {
      await budgets.settled(workspace);
      const row = await database.transaction({ role: 'pattern', workspace }, (transaction) =>
        readBudget(transaction, name),
      );
      if (!row) throw notFound();
      return toBudget(row);
    },

    /** Can be repeated. Errors: `invalid_request`, `not_found` for a pattern, `policy_refused` beyond 200. */
    putBudget: (context, input) => putBudget(parts, context, input),

    /** Errors: `not_found`. */
    deleteBudget: (context, { budget: name }) =>
      changeBudgets(parts, context.workspace, async (transaction) => {
        await lockBudgets(transaction, context.workspace, 1);
        const row = await readBudget(transaction, name);
        if (!row) throw notFound();
        await trail.look(transaction, `budget/${name}`);
        await deleteBudget(transaction, name);
        await trail.leave(transaction, context, {
          action: 'deleteBudget',
          subject: `budget/${name}`,
          event: 'pattern.budget-deleted',
          data: { budget: name },
        });
        await bumpTopic(transaction, budgetsTopic);
        return toBudget(row);
      }),
  };
}
