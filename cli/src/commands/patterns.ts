import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatNumber } from '../figures.ts';
import { printList } from '../print-list.ts';

export const patterns = defineCommand({
  name: 'patterns',
  usage: '[flags]',
  about: 'Lists the patterns of the workspace by name.',
  flags: {
    search: { type: 'string', value: '<text>', help: 'Only those with this text in name, title or description.' },
    tag: { type: 'string', value: '<tag>', help: 'Only those with this tag.' },
    deleted: { type: 'boolean', help: 'The deleted ones instead.' },
    names: { type: 'boolean', help: 'Names only, one on a line.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: [
    'damask patterns',
    'damask patterns --search summary',
    'damask patterns --names | fzf | xargs damask show',
  ],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    const found = await collectItems(
      damask.patterns.listAll({ search: flags.search, tag: flags.tag, deleted: flags.deleted }),
    );
    if (flags.names) return terminal.result(found.map(({ name }) => `${name}\n`).join(''));
    await printList(terminal, flags.json, found, {
      columns: [
        { title: 'PATTERN' },
        { title: 'VERSION', right: true, drop: 1 },
        { title: 'TAGS', least: 8, drop: 0 },
        { title: 'DESCRIPTION', least: 16 },
      ],
      row: ({ name, version, tags, title, description }) => [
        { text: name, style: 'cyan' },
        String(version),
        { text: tags.join(', '), style: 'dim' },
        description || title,
      ],
      empty: 'No pattern matches. `damask import <folder>` brings some in; `damask patterns` lists all.',
    });
    if (terminal.stdoutIsTerminal && !flags.json && found.length > 0) {
      terminal.note(terminal.paintNote('dim', formatNumber(found.length, 'pattern')));
    }
  },
});
