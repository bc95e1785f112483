import type { Pattern } from '@damask/sdk';
import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatNumber } from '../figures.ts';
import { numberFlag } from '../number-flag.ts';
import { printList } from '../print-list.ts';

export const patterns = defineCommand({
  name: 'patterns',
  usage: '[flags]',
  about: 'Lists the patterns of the workspace by name.',
  flags: {
    search: { type: 'string', value: '<text>', help: 'Only those with this text in name, title or description.' },
    tag: { type: 'string', value: '<tag>', help: 'Only those with this tag.' },
    deleted: { type: 'boolean', help: 'The deleted ones instead.' },
    latest: { type: 'string', short: 'n', value: '<number>', help: 'The ones that changed last, newest first.' },
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
    const latest = numberFlag('latest', flags.latest, true);
    const { damask } = await connect();
    const all = await collectItems(
      damask.patterns.listAll({ search: flags.search, tag: flags.tag, deleted: flags.deleted }),
    );
    const found = latest === undefined ? all : newest(all, latest);
    if (flags.names) return terminal.result(found.map(({ name }) => `${name}\n`).join(''));
    await printList(terminal, flags.json, found, {
      columns: [
        { title: 'PATTERN' },
        { title: 'VERSION', right: true, drop: 1 },
        { title: 'TAGS', least: 8, drop: 0 },
        { title: 'DESCRIPTION', least: 16 },
      ],
      row: ({ name, version, tags, title, description, deprecated }) => [
        { text: name, style: 'cyan' },
        String(version),
        { text: tags.join(', '), style: 'dim' },
        `${noteOf(deprecated)}${description || title}`,
      ],
      empty: 'No pattern matches. `damask import <folder>` brings some in; `damask patterns` lists all.',
    });
    if (terminal.stdoutIsTerminal && !flags.json && found.length > 0) {
      terminal.note(terminal.paintNote('dim', formatNumber(found.length, 'pattern')));
    }
  },
});

function noteOf(deprecated: Pattern['deprecated']): string {
  if (!deprecated) return '';
  return deprecated.successor === null ? '[deprecated] ' : `[deprecated, use ${deprecated.successor}] `;
}

function newest(patterns: readonly Pattern[], count: number): Pattern[] {
  return patterns.toSorted((a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at)).slice(0, Math.max(0, count));
}
