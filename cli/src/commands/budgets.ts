import { budgetBar, limitOf, whatItCovers } from '../budget-bar.ts';
import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatTime } from '../figures.ts';
import { printList } from '../print-list.ts';

export const budgets = defineCommand({
  name: 'budgets',
  usage: '[flags]',
  about:
    'Lists the budgets and how far each is used: █ is spent, ▒ is reserved by runs under way. A budget with limits of\n' +
    'money and tokens shows the one that is nearer to its end.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask budgets', 'damask budgets set everything --money 25 --per day', 'damask budgets show everything'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    const found = await collectItems(damask.budgets.listAll());
    await printList(terminal, flags.json, found, {
      columns: [
        { title: 'BUDGET', least: 10 },
        { title: 'COVERS', least: 10, drop: 2 },
        { title: 'USED' },
        { title: 'LIMIT', right: true },
        { title: 'RESETS', drop: 1 },
      ],
      row: (budget) => {
        const { text, share } = budgetBar(budget, 20);
        const style = share >= 1 ? 'red' : share >= 0.8 ? 'yellow' : 'green';
        return [
          { text: budget.name, style: 'cyan' },
          whatItCovers(budget),
          { text, style },
          limitOf(budget),
          formatTime(budget.resets_at),
        ];
      },
      empty: 'There are no budgets. Make one: damask budgets set everything --money 25 --per day',
    });
  },
});
