import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';

export const budgetsRemove = defineCommand({
  name: 'budgets remove',
  usage: '<budget> [flags]',
  about: 'Removes a budget, with what it counted. What it limited is limited no more.',
  flags: { ...jsonFlag, ...reasonFlag, ...serverFlags },
  positionals: [1, 1],
  completes: ['budgets'],
  examples: ['damask budgets remove everything'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const budget = await damask.budgets.delete({ budget: name }).catch(async (error: unknown) => {
      throw await explainMissingName(error, { what: 'budget', name, all: damask.budgets.listAll() });
    });
    if (flags.json) return terminal.print(JSON.stringify(budget, null, 2));
    terminal.note(`The budget ${budget.name} is removed.`);
  },
});
