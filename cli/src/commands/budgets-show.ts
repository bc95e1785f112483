import { budgetBar, formatTokens, limitOf, whatItCovers } from '../budget-bar.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';
import { formatCost, formatTime } from '../figures.ts';

export const budgetsShow = defineCommand({
  name: 'budgets show',
  usage: '<budget> [flags]',
  about: 'Shows a budget: what is spent in this period, reserved by runs under way, and left.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  completes: ['budgets'],
  examples: ['damask budgets show everything'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const budget = await damask.budgets.read({ budget: name }).catch(async (error: unknown) => {
      throw await explainMissingName(error, { what: 'budget', name, all: damask.budgets.listAll() });
    });
    if (flags.json) return terminal.print(JSON.stringify(budget, null, 2));
    const line = (word: string, micros: number | null, tokens: number | null) => {
      const parts = [
        ...(budget.limit_micros === null || micros === null ? [] : [formatCost(micros)]),
        ...(budget.limit_tokens === null || tokens === null ? [] : [formatTokens(tokens)]),
      ];
      return terminal.print(`${word.padEnd(9)} ${parts.join(', ')}`);
    };
    await terminal.print(`${budget.name}: ${limitOf(budget)}, ${whatItCovers(budget)}`);
    await terminal.print(budgetBar(budget, 40).text);
    await line('spent', budget.spent_micros, budget.spent_tokens);
    await line('reserved', budget.reserved_micros, budget.reserved_tokens);
    await line('left', budget.left_micros, budget.left_tokens);
    await terminal.print(`${'resets'.padEnd(9)} ${formatTime(budget.resets_at)}`);
  },
});
