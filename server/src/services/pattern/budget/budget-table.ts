import type { Database } from '#platform/database/database.ts';
import { type BudgetRow, loadBudgets } from './budget-store.ts';

/** What a run belongs to. */
export interface BudgetScope {
  readonly workspace: string;
  /** Id of the API key. */
  readonly key: string;
  /** Its own, and for a step of a chain that of the step. */
  readonly patterns: readonly string[];
  readonly environment: string | null;
}

/** Budgets of the workspaces, in memory; follows the topic `pattern.budgets`. */
export interface BudgetTable {
  load(): Promise<void>;
  has(workspace: string): boolean;
  /** Undefined where no budget covers it: the usual case, for which nothing more is done. */
  covering(scope: BudgetScope): readonly BudgetRow[] | undefined;
}

export const budgetsTopic = 'pattern.budgets';

/** `onChange` is told of each workspace whose budgets are others now. */
export function createBudgetTable(database: Database, onChange: (workspace: string) => void): BudgetTable {
  let byWorkspace: ReadonlyMap<string, readonly BudgetRow[]> = new Map();
  return {
    async load() {
      const former = byWorkspace;
      byWorkspace = Map.groupBy(await loadBudgets(database), ({ workspace }) => workspace);
      for (const workspace of new Set([...former.keys(), ...byWorkspace.keys()])) {
        if (revisions(former.get(workspace)) !== revisions(byWorkspace.get(workspace))) onChange(workspace);
      }
    },
    has: (workspace) => byWorkspace.has(workspace),
    covering(scope) {
      const budgets = byWorkspace.get(scope.workspace);
      if (budgets === undefined) return undefined;
      const found = budgets.filter((budget) => coversRun(budget, scope));
      return found.length === 0 ? undefined : found;
    },
  };
}

function coversRun({ covers, covered }: BudgetRow, scope: BudgetScope): boolean {
  if (covers === 'pattern') return scope.patterns.some((pattern) => pattern === covered);
  return covers === 'workspace' || scope[covers] === covered;
}

const revisions = (rows: readonly BudgetRow[] | undefined) =>
  rows?.map(({ id, revision }) => `${id} ${revision}`).join();
