import type { Budget, budgetOperations } from '@damask/contracts/budget-operations.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type BudgetParts, changeBudgets, toBudget } from './budget-parts.ts';
import { deleteBudget, lockBudgets, type NewBudget, readBudget, saveBudget, type UsedBudget } from './budget-store.ts';
import { budgetsTopic } from './budget-table.ts';

type Input = InputOf<(typeof budgetOperations)['putBudget']>;

/** All of them are in the memory of every process. */
const mostBudgets = 200;
const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const name = /^[a-z0-9][a-z0-9_-]{0,99}$/;

/** Creates a budget or changes its limits. What was spent stays, unless it covers something else from now on. */
export function putBudget(parts: BudgetParts, context: CallContext, input: Input): Promise<Budget> {
  const { workspace } = context;
  const covered = readCovered(parts, workspace, input);
  if (input.limit_micros === undefined && input.limit_tokens === undefined) {
    throw wrong('/limit_micros', 'A budget needs a limit. Give limit_micros, limit_tokens or both, each 1 or more.');
  }
  return changeBudgets(parts, workspace, async (transaction) => {
    const count = await lockBudgets(transaction, workspace, mostBudgets);
    const before = await readBudget(transaction, input.budget);
    if (!before && count >= mostBudgets) {
      throw new AppError('policy_refused', `A workspace has ${mostBudgets} budgets at most. Remove one first.`, {
        pointer: '/budget',
      });
    }
    const next: NewBudget = {
      workspace,
      id: before && staysSame(before, input, covered) ? before.id : parts.clock.uuid(),
      name: input.budget,
      covers: input.covers,
      covered,
      period: input.period,
      limit_micros: input.limit_micros ?? null,
      limit_tokens: input.limit_tokens ?? null,
    };
    if (before && isUnchanged(before, next)) return toBudget(before);
    await parts.trail.look(transaction, `budget/${next.name}`);
    if (before && before.id !== next.id) await deleteBudget(transaction, before.name);
    await saveBudget(transaction, next);
    const { covers, period, limit_micros, limit_tokens } = next;
    await parts.trail.leave(transaction, context, {
      action: 'putBudget',
      subject: `budget/${next.name}`,
      details: { covers, of: covered, period, limit_micros, limit_tokens },
      event: 'pattern.budget-put',
      data: { budget: next.name },
    });
    await bumpTopic(transaction, budgetsTopic);
    return toBudget((await readBudget(transaction, next.name)) as UsedBudget);
  });
}

function staysSame(before: UsedBudget, { covers, period }: Input, covered: string | null): boolean {
  return before.covers === covers && before.covered === covered && before.period === period;
}

function isUnchanged(before: UsedBudget, next: NewBudget): boolean {
  const { id: same, limit_micros, limit_tokens } = next;
  return before.id === same && before.limit_micros === limit_micros && before.limit_tokens === limit_tokens;
}

/** A name that nothing has would limit nothing. Keys are another service's, so of an id only the form is known. */
function readCovered({ library }: BudgetParts, workspace: string, { covers, of }: Input): string | null {
  if (covers === 'workspace') {
    if (of === undefined) return null;
    throw wrong('/of', 'A budget of the workspace covers all of it. Leave `of` out, or say what it covers.');
  }
  if (of === undefined) throw wrong('/of', `Say which ${covers} it covers, in \`of\`.`);
  if (covers === 'key') {
    if (id.test(of)) return of;
    throw wrong('/of', 'A key is named by its id, as `damask keys` shows it.');
  }
  if (!name.test(of)) throw wrong('/of', 'A name has lower case letters, digits, _ and -, at most 100.');
  if (covers === 'environment' || library.find(workspace, of)) return of;
  throw new AppError('not_found', 'There is no such pattern here; `damask patterns` lists them.', { pointer: '/of' });
}

function wrong(pointer: string, detail: string): AppError {
  return new AppError('invalid_request', detail, { pointer });
}
