import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatBytes, formatTime } from '../figures.ts';
import { printList } from '../print-list.ts';

export const contexts = defineCommand({
  name: 'contexts',
  usage: '[flags]',
  about: 'Lists the contexts: background texts that -C puts before a pattern.',
  flags: { names: { type: 'boolean', help: 'Names only, one on a line.' }, ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask contexts', 'damask contexts put team < about-us.md', 'damask run answer_mail -C team < mail.txt'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    const found = await collectItems(damask.contexts.listAll());
    if (flags.names) return terminal.result(found.map(({ name }) => `${name}\n`).join(''));
    await printList(terminal, flags.json, found, {
      columns: [
        { title: 'CONTEXT', least: 12 },
        { title: 'SIZE', right: true },
        { title: 'CHANGED', drop: 0 },
      ],
      row: ({ name, bytes, updated_at }) => [{ text: name, style: 'cyan' }, formatBytes(bytes), formatTime(updated_at)],
      empty: 'There are no contexts. Make one: damask contexts put team < about-us.md',
    });
  },
});
