import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingPattern } from '../explain-missing-pattern.ts';
import { formatTime } from '../figures.ts';
import { printList } from '../print-list.ts';

export const history = defineCommand({
  name: 'history',
  usage: '<pattern> [flags]',
  about:
    'Lists the versions of a pattern, newest first: when each came, from where, why, and which labels point at it. With\n' +
    '--labels it lists who pointed which label where.',
  flags: {
    labels: { type: 'boolean', help: 'Moves of labels instead.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  completes: ['patterns'],
  examples: ['damask history summarize', 'damask history summarize --labels', 'damask diff summarize 2 3'],
  async run({ flags, positionals, terminal, connect }) {
    const [pattern = ''] = positionals;
    const { damask } = await connect();
    try {
      if (flags.labels) {
        return await printList(
          terminal,
          flags.json,
          await collectItems(damask.patterns.listAllLabelMoves({ pattern })),
          {
            columns: [{ title: 'WHEN' }, { title: 'LABEL' }, { title: 'MOVE' }, { title: 'BY', least: 8, drop: 0 }],
            row: ({ moved_at, label, before, after, author }) => [
              formatTime(moved_at),
              { text: label, style: 'cyan' },
              `${before ?? 'none'} → ${after ?? 'none'}`,
              author ?? '',
            ],
            empty: 'No label was ever set. Set one: damask publish <folder> --label stable',
          },
        );
      }
      return await printList(terminal, flags.json, await collectItems(damask.patterns.listAllVersions({ pattern })), {
        columns: [
          { title: 'VERSION', right: true },
          { title: 'WHEN', drop: 1 },
          { title: 'LABELS', least: 8 },
          { title: 'FROM', least: 6, drop: 0 },
          { title: 'WHY', least: 12 },
        ],
        row: ({ version, created_at, labels, source, message }) => [
          { text: String(version), style: 'cyan' },
          formatTime(created_at),
          { text: labels.join(', '), style: 'green' },
          { text: source.origin ?? source.kind, style: 'dim' },
          message ?? '',
        ],
        empty: 'There are no versions.',
      });
    } catch (error) {
      throw await explainMissingPattern(damask, pattern, error);
    }
  },
});
