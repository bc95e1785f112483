import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { printList } from '../print-list.ts';

export const retention = defineCommand({
  name: 'retention',
  usage: '[flags]',
  about:
    'Shows how long what is kept, and the least data class of runs. The rule that names most of a run counts; what none\n' +
    'covers is kept for ever.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask retention', 'damask retention set runs --class personal --days 30', 'damask retention report'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    const found = await damask.retention.read();
    if (flags.json) return terminal.print(JSON.stringify(found, null, 2));
    if (found.least_class !== 'public') terminal.note(`No run has a lower class than ${found.least_class}.`);
    await printList(terminal, false, found.rules, {
      columns: [{ title: 'KEPT' }, { title: 'CLASS' }, { title: 'ENVIRONMENT' }, { title: 'DAYS', right: true }],
      row: (rule) => [
        { text: rule.of, style: 'cyan' },
        rule.data_class ?? 'all',
        rule.environment ?? 'all',
        String(rule.days),
      ],
      empty: 'Everything is kept for ever. Say otherwise: damask retention set runs --class personal --days 30',
    });
  },
});
