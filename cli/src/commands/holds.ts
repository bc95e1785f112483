import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatTime } from '../figures.ts';
import { printList } from '../print-list.ts';

export const holds = defineCommand({
  name: 'holds',
  usage: '[flags]',
  about: 'Lists legal holds: what they cover is removed neither by retention nor by erasure.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: [
    'damask holds',
    "damask holds put case-4711 --pattern letter --reason 'Smith v. Jones'",
    'damask holds lift case-4711',
  ],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    await printList(terminal, flags.json, await collectItems(damask.holds.listAll()), {
      columns: [
        { title: 'HOLD' },
        { title: 'COVERS' },
        { title: 'REASON' },
        { title: 'PLACED', drop: 2 },
        { title: 'BY', drop: 1 },
      ],
      row: (hold) => [
        { text: hold.name, style: 'cyan' },
        [
          hold.subject === null ? '' : `subject ${hold.subject}`,
          hold.pattern === null ? '' : `pattern ${hold.pattern}`,
          hold.since === null ? '' : `since ${formatTime(hold.since)}`,
          hold.until === null ? '' : `until ${formatTime(hold.until)}`,
        ]
          .filter(Boolean)
          .join(', '),
        hold.reason,
        formatTime(hold.placed_at),
        hold.placed_by,
      ],
      empty: 'There are no legal holds.',
    });
  },
});
