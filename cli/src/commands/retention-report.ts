import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatTime } from '../figures.ts';
import { printList } from '../print-list.ts';

export const retentionReport = defineCommand({
  name: 'retention report',
  usage: '[flags]',
  about:
    'Lists what retention and erasures have removed, newest first: a line for each day, kind, class and environment.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask retention report', 'damask retention report --json'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    await printList(terminal, flags.json, await collectItems(damask.retention.removalsAll()), {
      columns: [
        { title: 'REMOVED' },
        { title: 'WHY', drop: 1 },
        { title: 'WHAT' },
        { title: 'HOW', drop: 2 },
        { title: 'CLASS' },
        { title: 'ENVIRONMENT', drop: 3 },
        { title: 'COUNT', right: true },
        { title: 'FROM', drop: 4 },
        { title: 'TO', drop: 4 },
      ],
      row: (one) => [
        formatTime(one.removed_at),
        one.reason,
        { text: one.of, style: 'cyan' },
        one.way,
        one.data_class ?? '-',
        one.environment ?? '-',
        String(one.count),
        formatTime(one.oldest),
        formatTime(one.newest),
      ],
      empty: 'Nothing was removed so far.',
    });
  },
});
